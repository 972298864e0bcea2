import type { RoomHandler } from "../../../generated/chat/server.js";
import type { HistoryRequest, Post } from "../../../generated/chat/types.js";

/** How many posts a room remembers. */
const remembered = 500;

/** What was said in each room, oldest first. */
const postsByRoom = new Map<string, Post[]>();

/** Who is in each room: a name stays as long as one of its connections does. */
const namesByRoom = new Map<string, Map<string, number>>();

export const room: RoomHandler = {
  open(conn) {
    const { roomId } = conn.params;
    const { username } = conn.query;
    conn.join(roomId);
    if (count(roomId, username, 1) === 1) conn.to(roomId).send.memberJoined({ name: username });
  },

  messages: {
    postMessage({ text }, conn) {
      const { roomId } = conn.params;
      const post: Post = { id: crypto.randomUUID(), by: conn.query.username, text, at: new Date().toISOString() };
      remember(roomId, post);
      conn.to(roomId).send.messagePosted({ post });
    },

    history({ before, limit = 20 }: HistoryRequest, conn) {
      const posts = postsByRoom.get(conn.params.roomId) ?? [];
      const end = before === undefined ? posts.length : posts.findIndex((post) => post.id === before);
      return { posts: end < 0 ? [] : posts.slice(Math.max(0, end - limit), end) };
    },
  },

  close(conn) {
    const { roomId } = conn.params;
    const { username } = conn.query;
    if (count(roomId, username, -1) === 0) conn.to(roomId).send.memberLeft({ name: username });
  },
};

function remember(roomId: string, post: Post): void {
  const posts = postsByRoom.get(roomId) ?? [];
  posts.push(post);
  if (posts.length > remembered) posts.shift();
  postsByRoom.set(roomId, posts);
}

/** Counts a name's connections to a room up or down, and says how many there are now. */
function count(roomId: string, name: string, change: 1 | -1): number {
  const names = namesByRoom.get(roomId) ?? new Map<string, number>();
  namesByRoom.set(roomId, names);
  const connections = (names.get(name) ?? 0) + change;
  if (connections > 0) names.set(name, connections);
  else names.delete(name);
  if (names.size === 0) namesByRoom.delete(roomId);
  return connections;
}
