/**
 * The hidden `pawl agent`, which `pawl unlock` starts: keeps a key that it is given on standard input.
 */
import { PawlError } from '../../errors.ts';
import { reasonOf } from '../../files/index.ts';
import { wipe } from '../../primitives/index.ts';
import { Agent } from '../agent/agent.ts';
import { decodeSetup, LONGEST_SETUP, type Setup } from '../agent/protocol.ts';
import { AGENT, READY } from '../agent/start.ts';
import type { DefineCommand } from '../context.ts';
import type { Input } from '../terminal/io.ts';

/** Like that of any other file that cannot be made: README, "Exit codes". */
const CANNOT_START = 73;

export const defineAgent: DefineCommand = (program, makeAction) => {
  program
    .command(AGENT, { hidden: true })
    .description('what pawl unlock starts')
    .action(
      makeAction(
        async ({ io }) => {
          const setup = io.input.isTerminal ? undefined : await setupFrom(io.input);
          if (setup === undefined) {
            const problem = 'this is started by pawl itself, and is given a key on standard input';
            throw new PawlError('usage', { problem, hint: 'pawl unlock' });
          }
          let agent: Agent;
          try {
            agent = await Agent.start(setup, { wall: io.now, monotonic: () => performance.now() });
          } catch (error) {
            wipe(setup.key);
            await io.output.write(`${reasonOf(error)}\n`);
            return CANNOT_START;
          }
          io.beforeEnd(async () => agent.end());
          try {
            await io.output.write(`${READY}\n`);
          } catch (error) {
            // Who has started it is gone, and would not know of it.
            agent.end();
            throw error;
          }
          await agent.ended;
          return 0;
        },
        () => false,
      ),
    );
};

async function setupFrom({ chunks }: Input): Promise<Setup | undefined> {
  const given = new Uint8Array(LONGEST_SETUP);
  let length = 0;
  for await (const chunk of chunks) {
    const taken = chunk.subarray(0, given.length - length);
    given.set(taken, length);
    length += taken.length;
    wipe(chunk);
  }
  const setup = decodeSetup(given.subarray(0, length));
  wipe(given);
  return setup;
}
