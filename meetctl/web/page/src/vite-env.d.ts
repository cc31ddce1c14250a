/// <reference types="vite/client" />

declare module "@livekit/components-styles/components/participant";
