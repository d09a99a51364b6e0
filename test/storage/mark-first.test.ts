import { expect, it, vi } from 'vitest';
import { Connection } from '../../src/storage/connection.ts';
import { openIdentityFile } from '../../src/storage/index.ts';
import { Mark } from '../../src/storage/rollback-mark.ts';
import { addContact } from './fixtures.ts';
import { LOCK, newFile, openStore, temporaryFolder } from './folder.ts';

it('the mark is read before the generation: a commit of another process in between is no rollback', async () => {
  const path = newFile();
  const marks = temporaryFolder();
  const other = openStore(path, 0, marks);
  await other.transaction((transaction) => addContact(transaction, 'one'));

  const order: string[] = [];
  const readMark = Mark.prototype.read;
  const get = Connection.prototype.get;
  const marked = vi.spyOn(Mark.prototype, 'read').mockImplementation(function (this: Mark) {
    order.push('mark');
    return readMark.call(this);
  });
  const asked = vi.spyOn(Connection.prototype, 'get').mockImplementation(function <Row>(
    this: Connection,
    ...parameters: Parameters<typeof get>
  ) {
    if (/^SELECT generation/.test(parameters[0])) order.push('generation');
    return get.call(this, ...parameters) as Row | undefined;
  });
  try {
    const store = openIdentityFile(path, LOCK, { wait: 0, marks });
    expect(store.isRolledBack).toBe(false);
    store.close();
    expect(order).toEqual(['mark', 'generation']);
  } finally {
    marked.mockRestore();
    asked.mockRestore();
  }
});
