// A person's mouth, ears and eyes inside the page, put there before its own scripts run. What the page does with the
// microphone it is given, and how sound and pictures come to it, is left as it is.
(() => {
  if (!navigator.mediaDevices) return; // about:blank
  const LOOK_MS = 40;
  const context = new AudioContext();

  // Mouth: a microphone that is silent until it is told what to say.
  const voice = context.createGain();
  const camera = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async ({ audio, video }) => {
    const stream = video ? await camera({ video }) : new MediaStream();
    if (audio) {
      const microphone = context.createMediaStreamDestination();
      voice.connect(microphone);
      microphone.stream.getAudioTracks().forEach((track) => stream.addTrack(track));
    }
    return stream;
  };
  const say = (samples, rate) =>
    new Promise((resolve) => {
      const bytes = Uint8Array.from(atob(samples), (character) => character.charCodeAt(0));
      const buffer = context.createBuffer(1, bytes.length / 2, rate);
      buffer.copyToChannel(Float32Array.from(new Int16Array(bytes.buffer), (sample) => sample / 32768), 0);
      const source = new AudioBufferSourceNode(context, { buffer });
      source.onended = () => resolve(performance.now());
      source.connect(voice);
      source.start();
    });

  // Ears: how loud each track is that the page plays, by the participant the server says it belongs to.
  const owners = new WeakMap();
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...options) {
      super(...options);
      this.addEventListener("track", ({ track, streams }) => {
        for (const { id } of streams) owners.set(track, id.split("|")[0]);
      });
    }
  };
  const ears = new Map();
  const heard = []; // [participant's sid, milliseconds, root mean square of the last 43 ms; 1 is full scale]
  const listen = () => {
    for (const { srcObject } of document.querySelectorAll("audio")) {
      for (const track of srcObject?.getAudioTracks() ?? []) {
        if (ears.has(track) || !owners.has(track)) continue;
        const analyser = new AnalyserNode(context, { fftSize: 2048 });
        context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
        ears.set(track, analyser);
      }
    }
    const samples = new Float32Array(2048);
    for (const [track, analyser] of ears) {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      heard.push([owners.get(track), performance.now(), Math.sqrt(power)]);
    }
  };

  // Eyes: every decoded frame in small, and single ones whole.
  const SMALL = 48;
  const watched = new WeakSet();
  const seen = {}; // by identity
  const pixelsOf = (video, width, height) => {
    const canvas = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    canvas.drawImage(video, 0, 0, width, height);
    return canvas.getImageData(0, 0, width, height).data;
  };
  const watch = (video, identity) => {
    const note = (seen[identity] ??= { frames: 0, flattest: 255, greenest: 0, sizes: [] });
    const look = () => {
      const pixels = pixelsOf(video, SMALL, SMALL);
      let sum = 0, squares = 0, green = 0;
      for (let at = 0; at < pixels.length; at += 4) {
        const [red, grass, blue] = pixels.subarray(at, at + 3);
        const grey = 0.299 * red + 0.587 * grass + 0.114 * blue;
        sum += grey;
        squares += grey * grey;
        // What zero chroma decodes to, at any brightness: (0, 135, 0) is the one of zero luma.
        if (grass > 100 && red < 50 && blue < 50) green += 1;
      }
      const count = pixels.length / 4;
      note.frames += 1;
      note.flattest = Math.min(note.flattest, Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2)));
      note.greenest = Math.max(note.greenest, green / count);
      const size = `${video.videoWidth}x${video.videoHeight}`;
      if (!note.sizes.includes(size)) note.sizes.push(size);
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  };
  const findVideos = () => {
    for (const video of document.querySelectorAll('[data-testid="tile"] video')) {
      if (watched.has(video)) continue;
      watched.add(video);
      watch(video, video.closest("[data-testid=tile]").dataset.identity);
    }
  };
  const picture = async (identity, skip) => {
    const video = document.querySelector(`[data-testid="tile"][data-identity="${identity}"] video`);
    for (let frame = 0; frame < skip; frame += 1) await new Promise((next) => video.requestVideoFrameCallback(next));
    const { videoWidth: width, videoHeight: height } = video;
    const pixels = pixelsOf(video, width, height);
    const parts = [];
    for (let at = 0; at < pixels.length; at += 32768) parts.push(String.fromCharCode(...pixels.subarray(at, at + 32768)));
    return { width, height, rgba: btoa(parts.join("")) };
  };

  setInterval(() => { listen(); findVideos(); }, LOOK_MS);
  window.visitor = { say, heard, seen, picture, now: () => performance.now() };
})();
