// What a person sees: one line per step, with its time.
const live = process.stdout.isTTY && !process.env.CI;

export const say = (text = '') => console.log(text);

export function duration(ms) {
  const s = ms / 1000;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.round(s)} s`;
  const whole = Math.round(s);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

export function about(minutes) {
  if (!minutes) return '';
  if (minutes < 1) return `about ${Math.max(5, Math.round(minutes * 12) * 5)} s`;
  return `about ${Math.round(minutes)} min`;
}

/** An error whose message is meant for the person at the terminal: what was wrong, and what to do next. */
export class Problem extends Error {
  constructor(what, hint) {
    super(hint ? `${what}\n  ${hint}` : what);
    this.name = 'Problem';
  }
}

/** Runs `work`, showing its title, its estimate in minutes, and at the end how long it took. */
export async function step(title, minutes, work) {
  const started = Date.now();
  const estimate = minutes >= 0.1 ? ` (${about(minutes)})` : '';
  const elapsed = () => duration(Date.now() - started);
  let timer;
  if (live) {
    const draw = () => process.stdout.write(`\r\x1b[2K▸ ${title}${estimate} … ${elapsed()}`);
    draw();
    timer = setInterval(draw, 1000);
  } else if (estimate) {
    say(`▸ ${title}${estimate} …`);
  }
  const end = (mark, note = '') => {
    clearInterval(timer);
    if (live) process.stdout.write('\r\x1b[2K');
    say(`${mark} ${title}  ${elapsed()}${note}`);
  };
  try {
    const note = await work();
    end('✓', typeof note === 'string' ? `  ${note}` : '');
  } catch (error) {
    end('✗');
    throw error;
  }
}

/** Runs a script's main function; a `Problem` is shown as text, any other error with its stack. */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    console.error(error instanceof Problem ? `\n${error.message}` : error);
    process.exit(1);
  }
}
