// Speechmatics: audio goes out in binary messages, transcripts come back as JSON.
import { createRealtimeClient } from "./client.js";

export async function session(url: string, note: (what: string) => void): Promise<void> {
  const speech = await createRealtimeClient(url, { headers: { authorization: "Bearer key" } }).socket();
  const started = new Promise<string>((resolve) => speech.on.recognitionStarted(({ id }) => resolve(id ?? "")));
  const added: number[] = [];
  speech.on.audioAdded(({ seq_no }) => void added.push(seq_no));
  await speech.send.startRecognition({
    audio_format: { type: "raw", encoding: "pcm_s16le", sample_rate: 16_000 },
    transcription_config: { language: "en", enable_partials: true },
  });
  note(`started ${await started}`);
  const chunk = new Uint8Array(8192).fill(7);
  for (let sent = 0; sent < 50; sent += 1) await speech.send.addAudio(chunk);
  await speech.send.endOfStream({ last_seq_no: 50 });
  for await (const message of speech) {
    if (message.name === "addTranscript") note(`final ${message.payload.metadata.transcript}`);
    if (message.name === "endOfTranscript") break;
  }
  note(`added ${added.length}, the last ${added.at(-1)}`);
  const problem = new Promise<string>((resolve) => speech.on.error(({ type }) => resolve(type)));
  await speech.send.endOfStream({ last_seq_no: 50 });
  note(await problem);
  note((await speech.closed).code.toString());
}
