"""The local model server: speech, transcription and chat in one process, over OpenAI's HTTP API, on the CPU.

An agent does not know whether it talks to this or to a cloud: base URL and key differ, nothing else. Run it alone with
`python -m meetctl.local.models --port 8080`; when everything is loaded and warm it prints one line of JSON with its
url, and any OpenAI client works against `<url>/v1` with any key:

| Path | What it does |
|---|---|
| `POST /v1/audio/speech` | text to speech, streamed sentence by sentence; `pcm` (24 kHz, s16le, mono) or `wav` |
| `POST /v1/audio/transcriptions` | speech to text, in any language of the model; names in `prompt` are recognised |
| `POST /v1/chat/completions` | a small language model, streamed or not |
| `GET /v1/models`, `GET /healthz` | what is served; how many requests run and wait |

Voices are named (`alto`, `baritone`, …, see `voices.py`) or made: `pitch=1.05,formant=0.95`. The server listens on
127.0.0.1 only, keeps nothing, and never fetches anything: model data comes from `meetctl setup`. Which models those are
stands in `meetctl.catalogue`; a request's `model` names one of them, anything else means the first that is served.
"""
