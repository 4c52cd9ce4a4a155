import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks of the kernel's accounting, a second; fixed on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Our server's process, as the machine that the node runs on sees it. @throws Error unless there is exactly one */
export function findServer(): number {
  const found = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => readOrEmpty(`/proc/${pid}/cmdline`).includes('\0dist/main.js\0serve\0'));
  const [pid] = found;
  if (found.length !== 1 || pid === undefined) {
    throw new Error(`expected one process of our server on this machine, found ${found.length}`);
  }
  return Number(pid);
}

/** CPU time used so far, in seconds. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory in megabytes (10^6 bytes). */
export function residentMegabytes(pid: number): number {
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return (Number(match?.[1] ?? 0) * 1024) / 1e6;
}

/** A process may end while we look. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error) return '';
    throw error;
  }
}
