// A person's mouth, ears and eyes inside the page, put there before its own scripts run. What the page does with the
// microphone it is given, and how sound and pictures come to it, is left as it is.
(() => {
  if (!navigator.mediaDevices) return; // about:blank
  const LOOK_MS = 40;
  const device = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const heard = []; // [participant's sid, milliseconds, root mean square since the last look; 1 is full scale]
  const owners = new WeakMap(); // sid by track
  const receivers = [];
  const Connection = RTCPeerConnection;
  window.RTCPeerConnection = class extends Connection {
    constructor(...options) {
      super(...options);
      this.addEventListener("track", ({ track, receiver, streams }) => {
        for (const { id } of streams) owners.set(track, id.split("|")[0]);
        if (track.kind === "audio") receivers.push(receiver);
      });
    }
  };

  // Mouth: a microphone that is silent until it is told what to say.
  // Ears: how loud each track is that the page plays, by the participant the server says it belongs to.
  const withAudioContext = () => {
    const context = new AudioContext();
    const voice = context.createGain();
    // The air of a quiet room, -80 dB of full scale. Chromium sends nothing at all for a graph without a source; the
    // server takes that for a lost connection, and LiveKit's client leaves and joins again.
    const air = context.createBuffer(1, context.sampleRate, context.sampleRate);
    air.copyToChannel(Float32Array.from({ length: air.length }, () => (Math.random() - 0.5) * 2e-4), 0);
    const room = new AudioBufferSourceNode(context, { buffer: air, loop: true });
    room.connect(voice);
    room.start();
    const microphone = async () => {
      const destination = context.createMediaStreamDestination();
      voice.connect(destination);
      return destination.stream.getAudioTracks()[0];
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
    const ears = new Map();
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
    return { microphone, say, listen };
  };

  // Firefox's AudioContext stands still on a machine without loudspeakers. There an audio element speaks, through a
  // connection of its own, whose far end is a track that stays the same; and the decoder's statistics tell how loud.
  const withoutAudioContext = () => {
    const mouths = [];
    const microphone = async () => {
      const [near, far] = [new Connection(), new Connection()];
      near.onicecandidate = ({ candidate }) => candidate && far.addIceCandidate(candidate);
      far.onicecandidate = ({ candidate }) => candidate && near.addIceCandidate(candidate);
      const came = new Promise((resolve) => (far.ontrack = ({ track }) => resolve(track)));
      const [silence] = (await device({ audio: true })).getAudioTracks();
      silence.enabled = false;
      mouths.push({ sender: near.addTrack(silence), silence });
      await near.setLocalDescription();
      await far.setRemoteDescription(near.localDescription);
      await far.setLocalDescription();
      await near.setRemoteDescription(far.localDescription);
      const track = await came;
      if (track.muted) await new Promise((resolve) => (track.onunmute = resolve));
      return track;
    };
    const say = async (samples, rate) => {
      const spoken = Uint8Array.from(atob(samples), (character) => character.charCodeAt(0));
      const head = new DataView(new ArrayBuffer(44));
      const letters = (at, text) => [...text].forEach((letter, place) => head.setUint8(at + place, letter.charCodeAt(0)));
      letters(0, "RIFF");
      letters(8, "WAVEfmt ");
      letters(36, "data");
      for (const [at, value] of [[4, 36 + spoken.length], [16, 16], [24, rate], [28, 2 * rate], [40, spoken.length]]) {
        head.setUint32(at, value, true);
      }
      for (const [at, value] of [[20, 1], [22, 1], [32, 2], [34, 16]]) head.setUint16(at, value, true);
      const element = new Audio(URL.createObjectURL(new Blob([head, spoken], { type: "audio/wav" })));
      await new Promise((resolve) => (element.oncanplaythrough = resolve));
      const [voice] = element.mozCaptureStream().getAudioTracks();
      await Promise.all(mouths.map(({ sender }) => sender.replaceTrack(voice)));
      const ended = new Promise((resolve) => (element.onended = resolve));
      await element.play();
      await ended;
      await Promise.all(mouths.map(({ sender, silence }) => sender.replaceTrack(silence)));
      return performance.now();
    };
    const before = new Map();
    const listen = () => {
      for (const receiver of receivers) {
        void receiver.getStats().then((statistics) => {
          for (const { type, totalAudioEnergy, totalSamplesDuration } of statistics.values()) {
            if (type !== "inbound-rtp") continue;
            const [energy, duration] = before.get(receiver) ?? [0, 0];
            if (totalSamplesDuration <= duration) continue;
            before.set(receiver, [totalAudioEnergy, totalSamplesDuration]);
            const power = (totalAudioEnergy - energy) / (totalSamplesDuration - duration);
            heard.push([owners.get(receiver.track), performance.now(), Math.sqrt(power)]);
          }
        });
      }
    };
    return { microphone, say, listen };
  };

  const { microphone, say, listen } =
    "mozCaptureStream" in HTMLMediaElement.prototype ? withoutAudioContext() : withAudioContext();
  navigator.mediaDevices.getUserMedia = async ({ audio, video }) => {
    const stream = video ? await device({ video }) : new MediaStream();
    if (audio) {
      // A page that has the microphone may do more: Firefox lets it look at every network, and play before any click.
      await device({ audio: true });
      stream.addTrack(await microphone());
    }
    return stream;
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
