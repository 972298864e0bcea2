// What may be left out, because the contract says what stands for it.

/** What is given, with the defaults of what is not. An explicit `undefined` is left out, like a property that is not there. */
export function filled(given: object | undefined, defaults: Readonly<Record<string, unknown>> | undefined): Record<string, unknown> {
  const whole: Record<string, unknown> = { ...defaults, ...given };
  for (const key in defaults) if (whole[key] === undefined) whole[key] = defaults[key];
  return whole;
}
