// Refusals of a handshake that say what is wrong with it (RFC 9457).

/** An answer with a problem in it; `details` are its further members. */
export function problemResponse(status: number, title: string, details: object = {}, headers: Headers = new Headers()): Response {
  headers.set("content-type", "application/problem+json");
  return new Response(`${JSON.stringify({ title, status, ...details })}\n`, { status, headers });
}
