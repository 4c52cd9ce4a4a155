import { defineConfig } from 'vitest/config';

/** A suite that runs real processes: one file after the other. `minutes`: of one test and of one hook. */
function processes(name: string, minutes: number) {
  return {
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      testTimeout: minutes * 60_000,
      hookTimeout: minutes * 60_000,
      fileParallelism: false,
    },
  };
}

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['src/**/*.test.ts', 'test/architecture/**/*.test.ts'], testTimeout: 20_000 } },
      processes('integration', 3),
      processes('parity', 10),
      processes('apply', 15),
      processes('storage', 15),
      processes('clients', 15),
      processes('openapi', 10),
      processes('fuzz', 10),
      processes('crash', 15),
      processes('e2e', 10),
    ],
  },
});
