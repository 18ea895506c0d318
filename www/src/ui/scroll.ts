import { prefersReducedMotion } from 'svelte/motion';

/** Scrolls to a part of the page; at once for those who want less motion. */
export const bringIntoView = (part: Element | null) =>
  part?.scrollIntoView({ behavior: prefersReducedMotion.current ? 'auto' : 'smooth' });
