import { spawn } from 'node:child_process';
import { argv, execPath } from 'node:process';
import { at, root } from './lib/paths.mjs';
import { must } from './lib/run.mjs';
import { main, say } from './lib/say.mjs';
import { setup } from './setup.mjs';

/** Sets up what is missing, builds package, demo page and server, and serves until Ctrl-C; further arguments go to the server. */
main(async () => {
  await setup('start');
  await must('the package could not be built: see above', execPath, ['scripts/build.mjs'], { show: true });
  say('start: demo server, cargo build --release');
  await must('the demo server does not compile: see the output of cargo build above', 'cargo', [
    'build',
    '--release',
    '--package=tabwire-server',
  ]);
  say('start: demo page, vite build');
  await must('the demo page could not be built: see the output of vite above', 'vite', ['build', 'www/demo']);
  await serve();
});

/** The server ends with this process, whatever ends it: its stdin is a pipe from here. */
async function serve() {
  const args = ['--exit-with-stdin', '--watch', '--prices', '120', '--static', at('www/demo/dist'), ...argv.slice(2)];
  const server = spawn(at('target/release/tabwire-server'), args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.stdin.end());
  server.stdout.setEncoding('utf8').once('data', (text) => {
    const [first = '', ...rest] = text.split('\n');
    say(`\ntabwire is at ${JSON.parse(first).site}   (Ctrl-C ends it)\n${rest.join('\n')}`);
    server.stdout.pipe(process.stdout);
  });
  process.exitCode = await new Promise((resolve) => server.once('exit', resolve));
}
