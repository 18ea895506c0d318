import type { OutsideAnswer } from './protocol';

/** A name that by its standard leads nowhere. */
export const triedAddress = 'https://outside.invalid/';

/**
 * Tries to reach another origin from here, page or worker. Where the policy is in force, the browser refuses before
 * anything leaves; where it is not, the name leads nowhere.
 */
export async function outsideAnswer(): Promise<OutsideAnswer> {
  let answer: OutsideAnswer = 'not_refused';
  const note = () => {
    answer = 'refused';
  };
  // In a worker the event comes to its global scope; in a page it bubbles up to the window.
  globalThis.addEventListener('securitypolicyviolation', note);
  await fetch(triedAddress, { mode: 'no-cors' }).catch(() => {});
  // The report comes as a task of its own.
  await new Promise((resolve) => setTimeout(resolve, 50));
  globalThis.removeEventListener('securitypolicyviolation', note);
  return answer;
}
