import type { Failure } from './protocol';

/** A failure as an error that can be thrown on the page's side. */
export class CoreFailure extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly nearestBudget: number | undefined;

  constructor({ code, message, hint, nearestBudget }: Failure) {
    super(message);
    this.name = 'CoreFailure';
    this.code = code;
    this.hint = hint;
    this.nearestBudget = nearestBudget;
  }
}

/** Whatever was thrown, as something that can be shown and sent. */
export function toFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: 'unexpected', message: String(error) };
  const { code, hint, nearestBudget } = error as Error & Partial<Record<keyof Failure, unknown>>;
  const failure: Failure = {
    code: typeof code === 'string' ? code : 'unexpected',
    message: error.message,
  };
  if (typeof hint === 'string' && hint) failure.hint = hint;
  if (typeof nearestBudget === 'number') failure.nearestBudget = nearestBudget;
  return failure;
}

/** A device whose results can't be believed. */
export const isDeviceFault = ({ code }: Failure): boolean => code === 'device_fault';

/** After a trap the memory of a WebAssembly instance can't be trusted any more, nor after a wrong result its device. */
export function isFault(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError || isDeviceFault(toFailure(error));
}

/** Whether a run that failed so would fail again from its checkpoint, or go on from numbers that can't be believed. */
export function isHopeless(failure: Failure): boolean {
  return failure.code.startsWith('bad_') || failure.code === 'budget_out_of_reach' || isDeviceFault(failure);
}
