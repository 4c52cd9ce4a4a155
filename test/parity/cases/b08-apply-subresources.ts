import type { ParityCase, Step } from '../case.ts';
import { apply, get, merge, parity, put, setup } from '../case.ts';
import { SAMPLE, sample, scale } from '../subjects.ts';

const a = `${SAMPLE}?fieldManager=a`;
const one = (spec: object, metadata: Readonly<Record<string, unknown>> = {}): unknown =>
  sample(metadata, spec as Record<string, unknown>);
const sequence = (name: string, ...steps: readonly Step[]): ParityCase => parity(`apply: ${name}`, ...steps);

export const cases: readonly ParityCase[] = [
  sequence(
    'status at the main endpoint',
    apply(a, sample({}, { text: 'x' }, { status: { phase: 'Running' } })),
    get(SAMPLE),
  ),
  sequence(
    'status at its endpoint',
    setup(apply(a, one({ text: 'x' }))),
    apply(
      `${SAMPLE}/status?fieldManager=s`,
      sample({ labels: { x: 'y' } }, { text: 'z' }, { status: { phase: 'Running' } }),
    ),
    get(SAMPLE),
  ),
  sequence(
    'status of two managers',
    setup(apply(a, one({ text: 'x' }))),
    apply(
      `${SAMPLE}/status?fieldManager=s`,
      sample({}, {}, { status: { conditions: [{ type: 'A', status: 'True' }] } }),
    ),
    apply(
      `${SAMPLE}/status?fieldManager=t`,
      sample({}, {}, { status: { conditions: [{ type: 'B', status: 'True' }] } }),
    ),
    apply(`${SAMPLE}/status?fieldManager=s`, sample({}, {}, { status: {} })),
    get(SAMPLE),
  ),
  sequence(
    'a conflict in status',
    setup(apply(a, one({ text: 'x' }))),
    apply(`${SAMPLE}/status?fieldManager=s`, sample({}, {}, { status: { phase: 'Running' } })),
    apply(`${SAMPLE}/status?fieldManager=t`, sample({}, {}, { status: { phase: 'Pending' } })),
  ),
  sequence(
    'status of what is missing',
    apply(`${SAMPLE}/status?fieldManager=s`, sample({}, {}, { status: { phase: 'Running' } })),
    get(SAMPLE),
  ),
  sequence(
    'status by update keeps the subresource',
    setup(apply(a, one({ text: 'x' }))),
    merge(`${SAMPLE}/status`, { status: { phase: 'Running' } }),
    get(SAMPLE),
  ),
  sequence(
    'scale',
    setup(apply(a, one({ replicas: 1 }))),
    apply(`${SAMPLE}/scale?fieldManager=s&force=true`, scale({}, { replicas: 5 })),
    get(SAMPLE),
  ),
  sequence(
    'scale with a conflict',
    setup(apply(a, one({ replicas: 1 }))),
    apply(`${SAMPLE}/scale?fieldManager=s`, scale({}, { replicas: 5 })),
    get(SAMPLE),
  ),
  sequence(
    'scale by patch',
    setup(apply(a, one({ replicas: 1 }))),
    merge(`${SAMPLE}/scale`, { spec: { replicas: 5 } }),
    get(SAMPLE),
    apply(a, one({ replicas: 1 })),
  ),
  sequence(
    'scale by update',
    setup(apply(a, one({ replicas: 1 }))),
    put(`${SAMPLE}/scale`, scale({}, { replicas: 5 })),
    get(SAMPLE),
    get(`${SAMPLE}/scale`),
  ),
  sequence('scale of what is missing', apply(`${SAMPLE}/scale?fieldManager=s`, scale())),
];
