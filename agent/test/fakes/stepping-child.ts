import { type ChildProcess, type ForkOptions, fork, type Serializable } from 'node:child_process';
import { onTestFinished } from 'vitest';

export type SteppingChild = {
  readonly pid: number;
  /** Has the child do one thing, and waits for its answer. */
  step(name: string): Promise<unknown>;
};

/** A script in a process of its own, killed when the test is over. */
export async function steppingChild(
  script: URL,
  args: readonly string[],
  user: Pick<ForkOptions, 'uid' | 'gid'> = {},
): Promise<SteppingChild> {
  const child = fork(script, args, { execArgv: [], ...user });
  onTestFinished(() => void child.kill('SIGKILL'));
  await answerOf(child);
  if (child.pid === undefined) throw new Error(`${script.pathname} has no process`);
  return {
    pid: child.pid,
    step(name) {
      const answer = answerOf(child);
      child.send(name);
      return answer;
    },
  };
}

function answerOf(child: ChildProcess): Promise<Serializable> {
  return new Promise((resolve, reject) => {
    const ended = (status: number | null, signal: string | null) =>
      reject(new Error(`the child ended with ${signal ?? `status ${status}`}`));
    child.once('exit', ended);
    child.once('message', (answer) => {
      child.off('exit', ended);
      resolve(answer);
    });
  });
}
