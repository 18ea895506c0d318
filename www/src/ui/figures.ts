// Every figure that is on the page, so that the report can take them along.
import { getContext, setContext } from 'svelte';

/** Two may have one name, as the search of a run and that of its result while the run is seen again: the later one counts. */
export type Figures = Set<{ name: string; picture: () => string }>;

const key = Symbol('figures');

export const collectFigures = (): Figures => setContext(key, new Set());
export const figuresOnPage = (): Figures => getContext(key);
