// A page that shows a face through Simli's own client, and tells what it shows and plays. The published 3.0 names its
// entry `./Client`, a file it spells `client.js`: where letter case matters, only that file can be imported.
import { LogLevel, SimliClient, generateIceServers, generateSimliSessionToken } from "simli-client/dist/client.js";

const NAMES = ["start", "stop", "error", "ack", "video_info", "speaking", "silent", "unknown", "startup_error"];
const video = document.querySelector("video");
const audio = document.querySelector("audio");
const events = []; // [name, what it carries]
const sizes = []; // every size the video ever had
let client;
let heard = []; // 10 ms each, Int16Array, mono

video.addEventListener("resize", () => sizes.push(`${video.videoWidth}x${video.videoHeight}`));

const listen = async (track) => {
  const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const samples = new Float32Array(next.value.numberOfFrames);
    next.value.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
    next.value.close();
    heard.push(Int16Array.from(samples, (sample) => sample * 32767));
  }
};
audio.addEventListener("playing", () => listen(audio.srcObject.getAudioTracks()[0]));

// Resolves to what went wrong, "" if nothing did. Without a token it asks for one.
const open = async ({ url, key, face, mode, token, limit = 600 }) => {
  try {
    const config = { faceId: face, handleSilence: true, maxSessionLength: limit, maxIdleTime: 300 };
    token ??= (await generateSimliSessionToken({ config, apiKey: key }, url)).session_token;
    const servers = await generateIceServers(key, url);
    const socket = url.replace("http", "ws");
    client = new SimliClient(token, video, audio, servers, LogLevel.ERROR, mode, "websockets", socket);
    for (const name of NAMES) client.on(name, (detail = "") => events.push([name, detail]));
    await client.start();
    return "";
  } catch (error) {
    return String(error);
  }
};

const textFrom = (bytes) => {
  const parts = [];
  for (let at = 0; at < bytes.length; at += 32768) parts.push(String.fromCharCode(...bytes.subarray(at, at + 32768)));
  return btoa(parts.join(""));
};

// The next picture as it is shown, and everything heard since the last call.
const take = async () => {
  await new Promise((next) => video.requestVideoFrameCallback(next));
  const { videoWidth: width, videoHeight: height } = video;
  const canvas = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  canvas.drawImage(video, 0, 0);
  const rgba = textFrom(canvas.getImageData(0, 0, width, height).data);
  const sound = heard.splice(0).map((chunk) => textFrom(new Uint8Array(chunk.buffer)));
  return { width, height, rgba, sound };
};

const send = (samples) => client.sendAudioData(Uint8Array.from(atob(samples), (character) => character.charCodeAt(0)));

window.face = { open, send, take, events, sizes, skip: () => client.ClearBuffer(), stop: () => client.stop() };
