/** Whether this browser can reach the meeting's sound and pictures, as far as that is known before joining. */

export type Obstacle = "no-webrtc" | "no-network" | "loopback-only" | "no-websocket";

/** Gathering takes milliseconds; a browser that is still silent after this has nothing. */
const GATHER_MS = 3_000;
/** Goes there and back in a second on a slow line; whatever takes longer holds things back. */
const ECHO_MS = 6_000;

export const WAYS_OUT: Readonly<Record<Obstacle, string>> = {
  "no-webrtc":
    "This browser has WebRTC switched off, so no sound would come or go. Allow it (in Firefox: media.peerconnection.enabled in about:config) and load the page again, or open the link in another browser.",
  "no-network":
    "This browser finds no network, and without one it joins no meeting, not even one on this machine. Connect to a network, and in Firefox see that about:config has media.peerconnection.ice.no_host and relay_only at false; then load the page again.",
  "loopback-only":
    "Firefox does not join a meeting that began while its machine had no network. Open the link in Chromium or Chrome, or have the meeting started again with the network connected.",
  "no-websocket":
    "A proxy or firewall between this browser and the meeting lets pages through, but no connection that stays open (WebSocket), and without one nobody joins. Try another network. Whoever runs the meeting’s proxy: it must pass on Upgrade and Connection, and hold nothing back.",
};

/** Returns what stands in the way, undefined where nothing is known to; `echo` is where the server sends back what it gets. */
export async function findObstacle(loopbackOnly: boolean, echo?: string): Promise<Obstacle | undefined> {
  if (typeof RTCPeerConnection === "undefined") return "no-webrtc";
  if (loopbackOnly && isGecko()) return "loopback-only";
  const [network, webSocket] = await Promise.all([findsNetwork(), echo === undefined || staysOpen(echo)]);
  if (!network) return "no-network";
  return webSocket ? undefined : "no-websocket";
}

/** Firefox's engine sends no media to a loopback address; no property of WebRTC tells. */
function isGecko(): boolean {
  return "mozInnerScreenX" in window;
}

async function findsNetwork(): Promise<boolean> {
  const connection = new RTCPeerConnection();
  try {
    const found = new Promise<boolean>((resolve) => {
      connection.addEventListener("icecandidate", ({ candidate }) => resolve(Boolean(candidate?.candidate)));
      setTimeout(() => resolve(false), GATHER_MS);
    });
    connection.createDataChannel("");
    await connection.setLocalDescription();
    return await found;
  } catch {
    return true; // whatever failed here, it was not the network
  } finally {
    connection.close();
  }
}

async function staysOpen(echo: string): Promise<boolean> {
  const url = new URL(echo, document.baseURI);
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = "";
  const socket = new WebSocket(url);
  try {
    return await new Promise<boolean>((resolve) => {
      socket.addEventListener("open", () => socket.send("?"));
      socket.addEventListener("message", () => resolve(true));
      socket.addEventListener("error", () => resolve(false));
      socket.addEventListener("close", () => resolve(false));
      setTimeout(() => resolve(false), ECHO_MS);
    });
  } finally {
    socket.close();
  }
}
