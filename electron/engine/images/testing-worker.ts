/** Builds one image after the other in the home it is given, and says each one's number: for the test that kills it. */
import { openImages } from './images.ts';
import { buildOptions, collect, contextOf, streamOf } from './testing.ts';

const images = await openImages({ home: process.argv[2] ?? '', emit: () => undefined, usedBy: () => [] });
for (let i = 0; ; i++) {
  const context = await contextOf({
    Dockerfile: `FROM scratch\nCOPY f /f\nENV N=${i}\nLABEL a=b`,
    f: `${process.pid} ${i} `.repeat(20_000),
  });
  const { id } = await collect(images.build({ ...buildOptions, tags: [`t${i}`, 'last'] }, streamOf(context, 65_536)));
  await images.snapshot(id);
  process.stdout.write(`${i}\n`);
}
