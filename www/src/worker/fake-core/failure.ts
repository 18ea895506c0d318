import { CoreFailure } from '../failure';

export function failure(
  code: string,
  message: string,
  hint: string,
  more?: { nearestBudget: number },
): CoreFailure {
  return new CoreFailure({ code, message, hint, ...more });
}
