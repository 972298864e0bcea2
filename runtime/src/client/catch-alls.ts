// Messages that take whatever is no other message: what would be another one to the server is not sent as one of them.
import { refusalAsOther } from "../contract/unlike.ts";
import { refuse } from "./check.ts";
import type { Feature } from "./feature.ts";

/** For contracts with such messages. Named behind `guards`. */
export const catchAlls: Feature = ({ sends }, codec) => {
  const { refusalOf } = codec;
  codec.refusalOf = (guard, value, subject) => {
    const [, direction, name] = subject;
    const refusal = direction === "outbound" ? refusalAsOther(sends[name!]?.unlike, value) : undefined;
    return refusal ? refuse(subject, refusal.reason, refusal.path) : refusalOf(guard, value, subject);
  };
  return () => ({});
};
