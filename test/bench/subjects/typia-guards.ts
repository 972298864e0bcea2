// The contract's messages in typia's words; `typia generate` turns this into guards. It counts UTF-16 units where JSON Schema counts characters.
import typia, { type tags } from "typia";

type Text<Least extends number, Most extends number> = string & tags.MinLength<Least> & tags.MaxLength<Most>;

export interface Chat {
  type: "chat";
  id: Text<1, 40>;
  room: Text<1, 40>;
  by: { id: number & tags.Type<"int64"> & tags.Minimum<1>; name: Text<1, 40> };
  text: Text<1, 4000>;
  at: number & tags.Type<"int64"> & tags.Minimum<0>;
}

type Level = [Text<0, 20>, Text<0, 20>];

export interface Book {
  type: "book";
  symbol: Text<0, 20>;
  sequence: number & tags.Type<"int64">;
  bids: Level[] & tags.MaxItems<1000>;
  asks: Level[] & tags.MaxItems<1000>;
}

export const chat = typia.createEquals<Chat>();
export const book = typia.createEquals<Book>();
