// What generated identifiers are made of: the letters, digits and marks of Unicode 6.0 (2010) in its first plane. Whatever reads the output takes these,
// in any position that their kind allows. Node's own tables (`\p{ID_Start}`) know newer letters than TypeScript's scanner does, and each Node others than
// the next; nothing here depends on them. Letters that are not here are dropped from names as emoji are; on the wire everything is spelled as it was.

/** Code points in hexadecimal. Invisible ones are left out, and those whose kind has changed since. Never to be extended: names that exist would change. */
const ranges =
  "30-39 41-5a 61-7a aa b5 ba c0-d6 d8-f6 f8-2c1 2c6-2d1 2e0-2e4 2ec 2ee 300-34e 350-374 376-377 37a-37d 386 388-38a 38c 38e-3a1 " +
  "3a3-3f5 3f7-481 483-487 48a-527 531-556 559 561-587 591-5bd 5bf 5c1-5c2 5c4-5c5 5c7 5d0-5ea 5f0-5f2 610-61a 620-669 66e-6d3 6d5-6dc " +
  "6df-6e8 6ea-6fc 6ff 710-74a 74d-7b1 7c0-7f5 7fa 800-82d 840-85b 900-963 966-96f 971-977 979-97f 981-983 985-98c 98f-990 993-9a8 " +
  "9aa-9b0 9b2 9b6-9b9 9bc-9c4 9c7-9c8 9cb-9ce 9d7 9dc-9dd 9df-9e3 9e6-9f1 a01-a03 a05-a0a a0f-a10 a13-a28 a2a-a30 a32-a33 a35-a36 " +
  "a38-a39 a3c a3e-a42 a47-a48 a4b-a4d a51 a59-a5c a5e a66-a75 a81-a83 a85-a8d a8f-a91 a93-aa8 aaa-ab0 ab2-ab3 ab5-ab9 abc-ac5 ac7-ac9 " +
  "acb-acd ad0 ae0-ae3 ae6-aef b01-b03 b05-b0c b0f-b10 b13-b28 b2a-b30 b32-b33 b35-b39 b3c-b44 b47-b48 b4b-b4d b56-b57 b5c-b5d b5f-b63 " +
  "b66-b6f b71 b82-b83 b85-b8a b8e-b90 b92-b95 b99-b9a b9c b9e-b9f ba3-ba4 ba8-baa bae-bb9 bbe-bc2 bc6-bc8 bca-bcd bd0 bd7 be6-bef " +
  "c01-c03 c05-c0c c0e-c10 c12-c28 c2a-c33 c35-c39 c3d-c44 c46-c48 c4a-c4d c55-c56 c58-c59 c60-c63 c66-c6f c82-c83 c85-c8c c8e-c90 " +
  "c92-ca8 caa-cb3 cb5-cb9 cbc-cc4 cc6-cc8 cca-ccd cd5-cd6 cde ce0-ce3 ce6-cef cf1-cf2 d02-d03 d05-d0c d0e-d10 d12-d3a d3d-d44 d46-d48 " +
  "d4a-d4e d57 d60-d63 d66-d6f d7a-d7f d82-d83 d85-d96 d9a-db1 db3-dbb dbd dc0-dc6 dca dcf-dd4 dd6 dd8-ddf df2-df3 e01-e3a e40-e4e " +
  "e50-e59 e81-e82 e84 e87-e88 e8a e8d e94-e97 e99-e9f ea1-ea3 ea5 ea7 eaa-eab ead-eb9 ebb-ebd ec0-ec4 ec6 ec8-ecd ed0-ed9 edc-edd f00 " +
  "f18-f19 f20-f29 f35 f37 f39 f3e-f47 f49-f6c f71-f84 f86-f97 f99-fbc fc6 1000-1049 1050-109d 10a0-10c5 10d0-10fa 10fc 1100-115e " +
  "1161-1248 124a-124d 1250-1256 1258 125a-125d 1260-1288 128a-128d 1290-12b0 12b2-12b5 12b8-12be 12c0 12c2-12c5 12c8-12d6 12d8-1310 " +
  "1312-1315 1318-135a 135d-135f 1380-138f 13a0-13f4 1401-166c 166f-167f 1681-169a 16a0-16ea 1700-170c 170e-1714 1720-1734 1740-1753 " +
  "1760-176c 176e-1770 1772-1773 1780-17b3 17b6-17d3 17d7 17dc-17dd 17e0-17e9 1810-1819 1820-1877 1880-18aa 18b0-18f5 1900-191c " +
  "1920-192b 1930-193b 1946-196d 1970-1974 1980-19ab 19d0-19d9 1a00-1a1b 1a20-1a5e 1a60-1a7c 1a7f-1a89 1a90-1a99 1aa7 1b00-1b4b " +
  "1b50-1b59 1b6b-1b73 1b80-1baa 1bae-1bb9 1bc0-1bf3 1c00-1c37 1c40-1c49 1c4d-1c7d 1cd0-1cd2 1cd4-1cf1 1d00-1de6 1dfc-1f15 1f18-1f1d " +
  "1f20-1f45 1f48-1f4d 1f50-1f57 1f59 1f5b 1f5d 1f5f-1f7d 1f80-1fb4 1fb6-1fbc 1fbe 1fc2-1fc4 1fc6-1fcc 1fd0-1fd3 1fd6-1fdb 1fe0-1fec " +
  "1ff2-1ff4 1ff6-1ffc 2071 207f 2090-209c 20d0-20dc 20e1 20e5-20f0 2102 2107 210a-2113 2115 2119-211d 2124 2126 2128 212a-212d " +
  "212f-2139 213c-213f 2145-2149 214e 2183-2184 2c00-2c2e 2c30-2c5e 2c60-2ce4 2ceb-2cf1 2d00-2d25 2d30-2d65 2d6f 2d7f-2d96 2da0-2da6 " +
  "2da8-2dae 2db0-2db6 2db8-2dbe 2dc0-2dc6 2dc8-2dce 2dd0-2dd6 2dd8-2dde 2de0-2dff 3005-3006 302a-302f 3031-3035 303b-303c 3041-3096 " +
  "3099-309a 309d-309f 30a1-30fa 30fc-30ff 3105-312d 3131-3163 3165-318e 31a0-31ba 31f0-31ff 3400-4db5 4e00-9fcb a000-a48c a4d0-a4fd " +
  "a500-a60c a610-a62b a640-a66f a67c-a67d a67f-a697 a6a0-a6e5 a6f0-a6f1 a717-a71f a722-a788 a78b-a78e a790-a791 a7a0-a7a9 a7fa-a827 " +
  "a840-a873 a880-a8c4 a8d0-a8d9 a8e0-a8f7 a8fb a900-a92d a930-a953 a960-a97c a980-a9c0 a9cf-a9d9 aa00-aa36 aa40-aa4d aa50-aa59 " +
  "aa60-aa76 aa7a-aa7b aa80-aac2 aadb-aadd ab01-ab06 ab09-ab0e ab11-ab16 ab20-ab26 ab28-ab2e abc0-abea abec-abed abf0-abf9 ac00-d7a3 " +
  "d7b0-d7c6 d7cb-d7fb f900-fa2d fa30-fa6d fa70-fad9 fb00-fb06 fb13-fb17 fb1d-fb28 fb2a-fb36 fb38-fb3c fb3e fb40-fb41 fb43-fb44 " +
  "fb46-fbb1 fbd3-fd3d fd50-fd8f fd92-fdc7 fdf0-fdfb fe20-fe26 fe70-fe74 fe76-fefc ff10-ff19 ff21-ff3a ff41-ff5a ff66-ff9f ffa1-ffbe " +
  "ffc2-ffc7 ffca-ffcf ffd2-ffd7 ffda-ffdc";

const letters = ranges.replace(/[0-9a-f]+/g, (digits) => `\\u{${digits}}`).replaceAll(" ", "");

/** Finds the runs of letters, digits and marks in a text; a mark begins none. */
const runs = new RegExp(`(?!\\p{M})[${letters}]+`, "gu");
const foreign = new RegExp(`[^${letters}]`, "u");
const identifier = new RegExp(`^(?![\\p{Nd}\\p{M}])[${letters}$_]+$`, "u");

/** Finds identifiers in code that was printed from such names. */
export const identifiers: RegExp = new RegExp(`[${letters}$_]+`, "gu");

/** Whether a property of this name can be written without quotes, wherever it is read. */
export function isIdentifier(name: string): boolean {
  return identifier.test(name);
}

/** The runs of letters and digits, with their marks, in Unicode's composed form. */
export function runsOf(text: string): readonly string[] {
  return legible(text).match(runs) ?? [];
}

/** The text in composed form, with spaces for letters that no name can have: what is left is a letter to every Node, or to none. */
export function legible(text: string): string {
  return /[^\0-\x7f]/.test(text) ? text.replace(illegible, " ").normalize("NFC").replace(illegible, " ") : text;
}
const illegible = new RegExp(`[^\\0-\\x7f${letters}]`, "gu");

/** In capitals, as far as there are such: a capital that came to Unicode later is none. */
export function inCapitals(letters: string): string {
  return changed(letters, (text) => text.toUpperCase());
}

/** In small letters, as far as there are such. */
export function inSmall(letters: string): string {
  return changed(letters, (text) => text.toLowerCase());
}

/** The same with a capital in front. */
export function capitalized(name: string): string {
  return inCapitals(name.charAt(0)) + name.slice(1);
}

/** A whole word at once where that can be, because letters may depend on their neighbours (the Greek sigma). */
function changed(word: string, change: (text: string) => string): string {
  const whole = change(word);
  if (!foreign.test(whole)) return whole;
  return [...word].map((letter) => (foreign.test(change(letter)) ? letter : change(letter))).join("");
}
