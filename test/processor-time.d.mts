export function processorTime(): number;
