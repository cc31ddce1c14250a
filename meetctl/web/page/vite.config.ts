// The built page is served by meetctl/web/server.py, which lists `index.html` and the flat folder `assets/`.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  // A proxy may serve it below a prefix that nobody knows yet.
  base: "./",
  build: {
    outDir: "../static",
    emptyOutDir: true,
    // A data: URL would need a hole in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
    license: { fileName: "licenses.md" },
  },
});
