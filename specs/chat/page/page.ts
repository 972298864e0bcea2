// The chat's page: the generated client in a browser, loaded as plain ES modules.
import { ContractError, type Reconnected } from "@wsgen/runtime/client";
import { createChatClient, type RoomClient } from "../../../generated/chat/client.js";
import type { Post } from "../../../generated/chat/types.js";

const pageSize = 50;
const chat = createChatClient(location.origin);

const join = {
  view: byId("join"),
  form: form("join-form"),
  name: input("name"),
  room: input("room"),
  problem: byId("join-problem"),
  start: button("join-room"),
};
const view = { view: byId("chat"), title: byId("room-title"), status: byId("status"), leave: button("leave") };
const posts = { log: byId("log"), empty: byId("empty"), earlier: button("earlier") };
const say = { form: form("say-form"), text: input("text"), send: button("send") };
const trial = { panel: details("contract"), start: button("break-it"), results: byId("trial") };

/** What belongs to the room that this tab is in. */
interface Visit {
  readonly room: RoomClient;
  /** Ids of the posts that are shown, so that a post is not shown twice when it is in the history as well. */
  readonly shown: Set<string>;
  /** The oldest post shown, from which earlier ones are asked for. */
  oldest: string | undefined;
}
let visit: Visit | undefined;

const names = ["Ada", "Grace", "Alan", "Hedy", "Linus", "Margaret", "Edsger", "Radia"];
join.name.value = sessionStorage.getItem("name") ?? names[Math.floor(Math.random() * names.length)] ?? "Ada";
join.room.value = decodeURIComponent(location.hash.slice(1)) || "lobby";
join.name.select();
// Not every browser lets the keyboard scroll what cannot be focused.
posts.log.tabIndex = 0;
// On a phone it would leave no room for the posts.
trial.panel.open = matchMedia("(min-width: 801px)").matches;

join.form.addEventListener("submit", (event) => {
  event.preventDefault();
  void enter(join.room.value.trim(), join.name.value.trim());
});
say.form.addEventListener("submit", (event) => {
  event.preventDefault();
  post(say.text.value.trim());
});
view.leave.addEventListener("click", () => void leave());
posts.earlier.addEventListener("click", () => void showEarlier());
trial.start.addEventListener("click", () => void breakTheContract());
// What stands around the log may take some of its height: who was looking at the end goes on seeing it.
let following = true;
posts.log.addEventListener("scroll", () => {
  following = isAtEnd();
});
new ResizeObserver(() => {
  if (following) posts.log.scrollTop = posts.log.scrollHeight;
}).observe(posts.log);

async function enter(roomId: string, username: string): Promise<void> {
  join.problem.hidden = true;
  join.start.disabled = true;
  join.start.textContent = "Joining…";
  try {
    const room = await chat.room({ roomId }, { query: { username } });
    sessionStorage.setItem("name", username);
    history.replaceState(null, "", `#${encodeURIComponent(roomId)}`);
    showRoom({ room, shown: new Set(), oldest: undefined }, roomId, username);
  } catch (error) {
    join.problem.textContent = error instanceof Error ? error.message : String(error);
    join.problem.hidden = false;
  } finally {
    join.start.disabled = false;
    join.start.textContent = "Join";
  }
}

function showRoom(entered: Visit, roomId: string, username: string): void {
  const { room } = entered;
  visit = entered;
  posts.log.replaceChildren();
  posts.empty.hidden = false;
  posts.earlier.hidden = true;
  trial.results.replaceChildren();
  join.view.hidden = true;
  view.view.hidden = false;
  view.title.textContent = `#${roomId}`;
  document.title = `#${roomId} · wsgen chat`;
  say.text.focus();

  room.on.messagePosted(({ post }) => showPost(entered, post));
  room.on.memberJoined(({ name }) => showEvent(`${name} joined`));
  room.on.memberLeft(({ name }) => showEvent(`${name} left`));
  room.on.problem(({ code, detail }) => showEvent(`The server says: ${detail} (${code})`));
  showState(entered, username);
  room.subscribe(({ reconnected }) => {
    showState(entered, username);
    if (reconnected !== undefined) void showMissed(entered, reconnected);
  });
  void showEarlier();
}

/** What the client says about its connection, which comes back by itself when the server does. */
function showState(shown: Visit, username: string): void {
  if (visit !== shown) return;
  clearTimeout(countdown);
  const { status, retryAt, error, failures } = shown.room.getSnapshot();
  view.status.dataset["state"] = status;
  // What is written meanwhile is sent when the connection is back.
  say.text.disabled = status === "closed";
  say.send.disabled = status === "closed";
  trial.start.disabled = status !== "open";
  posts.earlier.disabled = status !== "open";
  if (status === "open") view.status.textContent = `Connected as ${username}`;
  else if (status === "closed") view.status.textContent = `Disconnected: ${messageOf(error)} Leave and join again.`;
  else {
    const seconds = retryAt === undefined ? 0 : Math.ceil((retryAt - Date.now()) / 1000);
    const waiting = retryAt !== undefined && !navigator.onLine; // It tries as soon as there is one.
    view.status.textContent =
      seconds > 0 ? `Connection lost, trying in ${seconds} s` : waiting ? "No network" : `Connecting again, attempt ${failures}`;
    if (seconds > 0) countdown = setTimeout(() => showState(shown, username), 500);
  }
}
let countdown: ReturnType<typeof setTimeout> | undefined;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : "the server said goodbye.");

/** Says that something may have been missed while the connection was away, for nobody can know, and asks for it. */
async function showMissed(missing: Visit, { away }: Reconnected): Promise<void> {
  const back = `Connected again after ${Math.ceil(away / 1000)} s.`;
  const line = showEvent(`${back} Posts may be missing here: asking the history…`);
  try {
    const page = await missing.room.request.history({ limit: pageSize });
    const missed = page.posts.filter(({ id }) => !missing.shown.has(id));
    for (const { id } of missed) missing.shown.add(id);
    line.after(...missed.map(postItem));
    line.textContent = `${back} The history has ${missed.length === 0 ? "nothing from then." : "this from then:"}`;
    posts.log.scrollTop = posts.log.scrollHeight;
  } catch {
    line.textContent = `${back} Posts may be missing here.`; // It is gone once more; when it is back, this runs again.
  }
}

async function leave(): Promise<void> {
  const left = visit;
  visit = undefined;
  view.view.hidden = true;
  join.view.hidden = false;
  document.title = "Chat · wsgen";
  join.name.focus();
  await left?.room.close();
}

function post(text: string): void {
  if (visit === undefined || text === "") return;
  // The constant `type` is filled in; what is left is what a person would say.
  const sent = visit.room.send.postMessage({ text });
  say.text.value = "";
  // It waits for the connection to come back, and is then sent.
  if (sent !== undefined) void showWaiting(text, sent);
}

async function showWaiting(text: string, sent: Promise<void>): Promise<void> {
  const line = showEvent(`Will be sent: ${text}`);
  try {
    await sent;
    line.remove();
  } catch (error) {
    line.textContent = `Was not sent: ${text} (${messageOf(error)})`;
  }
}

/** Asks for the page of posts before the oldest one shown: a request that is settled by its reply. */
async function showEarlier(): Promise<void> {
  const asking = visit;
  if (asking === undefined) return;
  const { room, shown, oldest } = asking;
  try {
    const page = await room.request.history({ limit: pageSize, ...(oldest === undefined ? {} : { before: oldest }) });
    if (visit !== asking) return;
    const fresh = page.posts.filter(({ id }) => !shown.has(id));
    for (const { id } of fresh) shown.add(id);
    asking.oldest = page.posts[0]?.id ?? oldest;
    posts.log.prepend(...fresh.map(postItem));
    posts.earlier.hidden = page.posts.length < pageSize;
    if (fresh.length > 0) posts.empty.hidden = true;
    if (oldest === undefined) posts.log.scrollTop = posts.log.scrollHeight;
  } catch (error) {
    if (visit === asking) showEvent(`The history could not be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function showPost({ shown }: Visit, post: Post): void {
  if (shown.has(post.id)) return;
  shown.add(post.id);
  append(postItem(post));
}

function showEvent(text: string): HTMLElement {
  return append(element("li", { className: "event", textContent: text }));
}

const isAtEnd = (): boolean => posts.log.scrollHeight - posts.log.scrollTop - posts.log.clientHeight < 80;

/** Adds a line, and keeps the end in sight for those who were looking at it. */
function append(item: HTMLElement): HTMLElement {
  const { log } = posts;
  const atEnd = following || isAtEnd();
  item.classList.add("fresh");
  log.append(item);
  posts.empty.hidden = true;
  if (atEnd) log.scrollTop = log.scrollHeight;
  return item;
}

function postItem({ by, text, at }: Post): HTMLElement {
  const avatar = element("span", { className: "avatar", textContent: [...by][0]?.toUpperCase() ?? "?", ariaHidden: "true" });
  avatar.style.setProperty("--hue", String([...by].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 360, 7)));
  const byline = element("p", { className: "byline" });
  const time = element("time", { dateTime: at, textContent: new Date(at).toLocaleTimeString([], { timeStyle: "short" }) });
  byline.append(element("span", { textContent: by }), time);
  const item = element("li", { className: "post" });
  item.append(avatar, byline, element("p", { className: "said", textContent: text }));
  return item;
}

/** Sends a post without a character: once through the client, which refuses it, and once past it, which the server answers. */
async function breakTheContract(): Promise<void> {
  if (visit === undefined) return;
  const { room } = visit;
  trial.results.replaceChildren();
  trial.start.disabled = true;
  const invalid = { type: "postMessage", text: "" } as const;
  try {
    room.send.postMessage(invalid);
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    showStep("1. The client does not send it", [
      ["pre", 'room.send.postMessage({ text: "" })'],
      ["refused", `${error.name}: ${error.message}`],
    ]);
  }

  const frame = JSON.stringify(invalid);
  const answer = await sendRaw(room.url, frame);
  showStep("2. The server does not take it", [
    ["note", "Sent by a plain WebSocket:"],
    ["pre", frame],
    ["note", "No handler saw it. This came back:"],
    ["refused", answer],
  ]);
  trial.results.lastElementChild?.scrollIntoView({ block: "nearest" });
  trial.start.disabled = false;
}

/** Sends one frame through a WebSocket of its own, as any client in any language could, and gives the `problem` that comes back. */
function sendRaw(url: string, frame: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    socket.addEventListener("open", () => socket.send(frame));
    socket.addEventListener("message", ({ data }) => {
      if (typeof data !== "string" || (JSON.parse(data) as { type?: unknown }).type !== "problem") return;
      resolve(data);
      socket.close();
    });
    socket.addEventListener("close", ({ code }) => resolve(`The connection was closed (${code}).`));
  });
}

function showStep(title: string, lines: readonly (readonly ["pre" | "note" | "refused", string])[]): void {
  const item = element("li", {});
  item.append(element("strong", { textContent: title }));
  for (const [kind, textContent] of lines) {
    item.append(
      kind === "note"
        ? element("p", { className: "note", textContent })
        : element("pre", { className: kind === "refused" ? kind : "", textContent }),
    );
  }
  trial.results.append(item);
}

function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]>,
): HTMLElementTagNameMap[Tag] {
  return Object.assign(document.createElement(tag), properties);
}

function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`index.html has no element "${id}".`);
  return found;
}

// index.html is beside this file: each id is an element of the kind that it is asked for as.
function form(id: string): HTMLFormElement {
  return byId(id) as HTMLFormElement;
}
function input(id: string): HTMLInputElement {
  return byId(id) as HTMLInputElement;
}
function button(id: string): HTMLButtonElement {
  return byId(id) as HTMLButtonElement;
}
function details(id: string): HTMLDetailsElement {
  return byId(id) as HTMLDetailsElement;
}
