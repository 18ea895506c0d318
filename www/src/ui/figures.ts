// Every figure that is on the page, by name, so that the report can take them along.
import { getContext, setContext } from 'svelte';

export type Figures = Map<string, () => string>;

const key = Symbol('figures');

export const collectFigures = (): Figures => setContext(key, new Map());
export const figuresOnPage = (): Figures => getContext(key);
