/** Milliseconds of processor time that this process has taken so far: what a test may bound while others use the machine too. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
