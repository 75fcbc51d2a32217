import { render } from "preact";
import { App } from "./app";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/overlays.css";
import "./styles/home.css";
import "./styles/room.css";
import "./styles/dock.css";
import "./styles/history.css";
import "./styles/call.css";
import "./styles/phone.css";

render(<App />, document.getElementById("app")!);
