import { growth } from './growth.ts';
import { largeContent } from './large-content.ts';
import { many } from './many.ts';
import { print } from './measure.ts';
async function go() {
  const what = process.argv[2];
  if (what === 'many') { const { rates, peaks } = many(); print('rates', rates); print('peaks', peaks); }
  if (what === 'growth') print('growth', await growth());
  if (what === 'large') { const large = largeContent(); print('t', large.times); print('p', large.peaks); }
}
void go();
