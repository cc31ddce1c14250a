import "@livekit/components-styles/components/participant";
import "./styles/index.css";

import { createRoot } from "react-dom/client";
import { App } from "./App";
import { isTrialPage } from "./logic/trial";
import { ConnectionTest } from "./screens/ConnectionTest";

const root = document.getElementById("root");
if (root) createRoot(root).render(isTrialPage(window.location.pathname) ? <ConnectionTest /> : <App />);
