import type { Failure } from './protocol';

/** A failure as an error that can be thrown on the page's side. */
export class CoreFailure extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  constructor({ code, message, hint }: Failure) {
    super(message);
    this.name = 'CoreFailure';
    this.code = code;
    this.hint = hint;
  }
}

/** Whatever was thrown, as something that can be shown and sent. */
export function toFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: 'unexpected', message: String(error) };
  const { code, hint } = error as { code?: unknown; hint?: unknown };
  const failure: Failure = {
    code: typeof code === 'string' ? code : 'unexpected',
    message: error.message,
  };
  if (typeof hint === 'string' && hint) failure.hint = hint;
  return failure;
}

/** After a trap the memory of a WebAssembly instance can't be trusted any more. */
export function isFault(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError;
}
