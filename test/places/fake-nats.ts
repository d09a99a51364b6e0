/**
 * Servers that say that they are NATS, and then whatever a test likes.
 */
import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export const INFO = 'INFO {"server_id":"x","version":"2.9.10","proto":1,"headers":true,"max_payload":1048576}\r\n';

/** Starts a server that does what `talk` does with each connection. @returns where it is. */
export async function fake(talk: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    talk(socket);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return `nats://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

/**
 * Greets, and then says `say` to each request.
 * @param say gets the subject for answers, the subject, and the number of the subscription that hears the answer.
 */
export function answering(say: (reply: string, subject: string, sid: string, socket: Socket) => string | Buffer) {
  return (socket: Socket) => {
    const subscriptions = new Map<string, string>();
    socket.write(INFO);
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      if (text.includes('PING\r\n')) socket.write('PONG\r\n');
      for (const [, subject = '', sid = ''] of text.matchAll(/^SUB (\S+) (\d+)\r$/gm)) subscriptions.set(subject, sid);
      for (const [, subject = '', reply = ''] of text.matchAll(/^H?PUB (\S+) (\S+) [\d ]+\r$/gm)) {
        // All answers to requests are heard by the first.
        socket.write(say(reply, subject, subscriptions.get(reply) ?? '1', socket));
      }
    });
  };
}

/** An answer to a request. */
export function answer(reply: string, text: string): string {
  return `MSG ${reply} 1 ${text.length}\r\n${text}\r\n`;
}
