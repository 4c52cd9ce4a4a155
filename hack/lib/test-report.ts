import { readFileSync } from 'node:fs';

/**
 * Reads the JSON report of a vitest run.
 *
 * usage: test-report.ts counts|failures FILE
 *
 * `counts` prints passed, failed and skipped tests on a line; a file that broke without a failed test of its own counts as
 * one. `failures` prints every failed test with the beginning of its message.
 */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

const maxMessageLines = 12;

const [, , what, path] = process.argv;
const report = JSON.parse(readFileSync(path!, 'utf8')) as Report;
const brokenFiles = report.testResults.filter(
  (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
);

if (what === 'counts') {
  const failed = report.numFailedTests + brokenFiles.length;
  console.log(report.numPassedTests, failed, report.numPendingTests + report.numTodoTests);
} else {
  for (const file of report.testResults) {
    const name = file.name.replace(`${process.cwd()}/`, '');
    for (const test of file.assertionResults) {
      if (test.status === 'failed') print(`${name}: ${test.fullName}`, test.failureMessages.join('\n'));
      else if (test.status !== 'passed') print(`${name}: ${test.fullName}`, test.status);
    }
  }
  for (const file of brokenFiles) print(file.name, file.message);
}

function print(title: string, message: string): void {
  const lines = message.split('\n').slice(0, maxMessageLines);
  console.log([title, ...lines.map((line) => `    ${line}`)].join('\n'));
}
