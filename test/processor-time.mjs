/** Milliseconds of processor time that this process has taken so far: what may be bounded while others use the machine too. */
export function processorTime() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
