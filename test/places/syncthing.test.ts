import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { makeRoute, nameOfEnvelope, openPlace, type Place } from '../../src/places/index.ts';
import { boxWith, contextWith, envelopeWith, listed, put, read } from './places.ts';
import { freePort, needing, programPath } from './servers.ts';

const [TITLE, isSkipped] = needing('a folder that two Syncthings keep the same', 'syncthing');
const [TO_BOB, TO_ALICE] = [boxWith(1), boxWith(2)];
const PATIENCE = { timeout: 120_000, interval: 200 };

describe.skipIf(isSkipped)(TITLE, () => {
  let folder: string;
  let machines: Machine[] = [];
  let alice: Place;
  let bob: Place;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pawl-syncthing-'));
    machines = [await Machine.make(join(folder, 'alice')), await Machine.make(join(folder, 'bob'))];
    for (const machine of machines) machine.start(machines);
    const [here = '', there = ''] = machines.map(({ shared }) => shared);
    const context = contextWith();
    const route = await makeRoute({ kind: 'dir', path: here }, { create: true }, context);
    await vi.waitFor(() => expect(existsSync(join(there, '.pawl-place'))).toBe(true), PATIENCE);
    const theirs = await makeRoute({ kind: 'dir', path: there }, { create: true }, context);
    expect(theirs).toEqual({ ...route, path: there });
    [alice, bob] = [await openPlace(route, context), await openPlace(theirs, context)];
  });
  afterAll(async () => {
    await Promise.all(machines.map((machine) => machine.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  /** Takes out of a box until it has so many, as somebody who follows. What is given must be whole each time. */
  async function take(place: Place, box: typeof TO_BOB, count: number): Promise<Set<string>> {
    const names = new Set<string>();
    while (names.size < count) {
      for (const { entry, bytes } of await read(place, await listed(place, [box]))) {
        expect(nameOfEnvelope(bytes)).toBe(entry.name);
        expect(await place.remove([entry])).toEqual([]);
        names.add(entry.name);
      }
      if (names.size < count) await place.wait([box], AbortSignal.timeout(60_000));
    }
    return names;
  }

  it('carries both ways at once, each envelope whole, and what was removed goes on both machines', async () => {
    const send = async (place: Place, box: typeof TO_BOB) => {
      const names = new Set<string>();
      for (let seed = 0; seed < 40; seed++)
        names.add(await put(place, box, envelopeWith(seed, seed % 10 === 0 ? 2 ** 22 : 256)));
      return names;
    };
    const [sent, answered, received, heard] = await Promise.all([
      send(alice, TO_BOB),
      send(bob, TO_ALICE),
      take(bob, TO_BOB, 40),
      take(alice, TO_ALICE, 40),
    ]);
    expect(received).toEqual(sent);
    expect(heard).toEqual(answered);
    await vi.waitFor(() => {
      for (const { shared } of machines) {
        expect(readdirSync(shared).filter((name) => !['.pawl-place', '.stfolder'].includes(name))).toEqual([]);
      }
    }, PATIENCE);
  });

  it('carries what was put while the other machine was off', async () => {
    const [, off] = machines;
    await off?.stop();
    const name = await put(alice, TO_BOB, envelopeWith(99));
    expect(await listed(bob, [TO_BOB])).toEqual([]);
    off?.start(machines);
    expect(await take(bob, TO_BOB, 1)).toEqual(new Set([name]));
  });
});

/** A Syncthing with a home and a folder of its own, on loopback alone. */
class Machine {
  readonly shared: string;
  readonly #home: string;
  readonly #id: string;
  readonly #port: number;
  readonly #control: number;
  #process: ChildProcess | undefined;

  private constructor(home: string, id: string, [port, control]: readonly [number, number]) {
    this.#home = home;
    this.#id = id;
    this.#port = port;
    this.#control = control;
    this.shared = join(home, 'shared');
    mkdirSync(join(this.shared, '.stfolder'), { recursive: true });
  }

  static async make(home: string): Promise<Machine> {
    const program = programPath('syncthing') ?? '';
    const env = { ...process.env, HOME: home };
    mkdirSync(home);
    execFileSync(program, ['generate', `--home=${home}`, '--no-default-folder', '--skip-port-probing'], {
      env,
      stdio: 'ignore',
    });
    const id = execFileSync(program, ['serve', `--home=${home}`, '--device-id'], { env, encoding: 'utf8' }).trim();
    return new Machine(home, id, [await freePort(), await freePort()]);
  }

  start(machines: readonly Machine[]): void {
    const devices = machines.map((machine) => machine.#asDevice()).join('\n');
    const members = machines.map((machine) => `<device id="${machine.#id}"/>`).join('');
    const config = `<configuration version="35">
<folder id="us" path="${this.shared}" type="sendreceive" rescanIntervalS="5" fsWatcherEnabled="true" fsWatcherDelayS="1">
${members}</folder>
${devices}
<gui enabled="true" tls="false"><address>127.0.0.1:${this.#control}</address><apikey>key</apikey></gui>
<options>
<listenAddress>tcp://127.0.0.1:${this.#port}</listenAddress>
<globalAnnounceEnabled>false</globalAnnounceEnabled><localAnnounceEnabled>false</localAnnounceEnabled>
<relaysEnabled>false</relaysEnabled><natEnabled>false</natEnabled><startBrowser>false</startBrowser>
<reconnectionIntervalS>1</reconnectionIntervalS><urAccepted>-1</urAccepted><crashReportingEnabled>false</crashReportingEnabled>
<autoUpgradeIntervalH>0</autoUpgradeIntervalH>
</options>
</configuration>`;
    writeFileSync(join(this.#home, 'config.xml'), config);
    this.#process = spawn(
      programPath('syncthing') ?? '',
      ['serve', `--home=${this.#home}`, '--no-browser', '--no-restart'],
      {
        env: { ...process.env, HOME: this.#home, STNOUPGRADE: '1' },
        stdio: 'ignore',
      },
    );
  }

  async stop(): Promise<void> {
    if (this.#process === undefined || this.#process.exitCode !== null) return;
    const end = once(this.#process, 'exit');
    this.#process.kill();
    await end;
  }

  #asDevice(): string {
    return `<device id="${this.#id}" name="x" compression="never"><address>tcp://127.0.0.1:${this.#port}</address></device>`;
  }
}
