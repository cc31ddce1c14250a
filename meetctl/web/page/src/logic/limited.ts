/** Connections that take one way alone: what leads by another is neither told nor heard. */

export type Protocol = "udp" | "tcp";

export interface Limited extends RTCConfiguration {
  readonly only?: Protocol;
}

/** Returns whether a candidate, or a line of SDP that is one, is of this way; what is no candidate stays. */
export function isOfWay(candidate: string, only: Protocol | undefined): boolean {
  const found = /^(?:a=)?candidate:\S+ \d+ (\w+) /i.exec(candidate);
  return !only || !found || found[1]!.toLowerCase() === only;
}

/** Returns the description without the candidates of other ways. */
export function withoutOthers(sdp: string, only: Protocol | undefined): string {
  return sdp
    .split("\r\n")
    .filter((line) => isOfWay(line, only))
    .join("\r\n");
}

/** From now on a connection whose configuration says so takes one way alone. */
export function limitConnections(): void {
  const Connection = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Connection {
    private readonly only: Protocol | undefined;

    constructor(configuration?: Limited) {
      super(configuration);
      this.only = configuration?.only;
      let told: ((event: RTCPeerConnectionIceEvent) => void) | null = null;
      this.addEventListener("icecandidate", (event) => {
        if (isOfWay(event.candidate?.candidate ?? "", this.only)) told?.(event);
      });
      Object.defineProperty(this, "onicecandidate", {
        get: () => told,
        set: (listener: typeof told) => {
          told = listener;
        },
      });
    }

    override async addIceCandidate(candidate?: RTCIceCandidateInit | null): Promise<void> {
      if (isOfWay(candidate?.candidate ?? "", this.only)) await super.addIceCandidate(candidate ?? undefined);
    }

    override async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
      const { type, sdp } = description;
      await super.setRemoteDescription({ type, sdp: withoutOthers(sdp ?? "", this.only) });
    }
  };
}
