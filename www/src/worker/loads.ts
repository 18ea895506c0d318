// What this page or worker has asked its server for. The browser itself keeps the list.

/** One request. */
export interface Load {
  address: string;
  /** As it came over the line, without headers; 0 where the browser does not tell. */
  bytes: number;
  /** When it was asked for, in milliseconds since 1970. */
  at: number;
}

/** Told of every request since the load of this page or worker, also of those before the call. */
export function watchLoads(tell: (loads: Load[]) => void): void {
  const observer = new PerformanceObserver((list) => tell(loadsOf(list)));
  observer.observe({ type: 'resource', buffered: true });
}

/** The same for a worker that never comes to the reports of an observer. */
export const loadsSoFar = (): Load[] => loadsOf(performance);

function loadsOf(list: Pick<PerformanceObserverEntryList, 'getEntriesByType'>): Load[] {
  const entries = list.getEntriesByType('resource') as PerformanceResourceTiming[];
  return entries.map(({ name, encodedBodySize, startTime }) => ({
    address: name,
    bytes: encodedBodySize,
    at: performance.timeOrigin + startTime,
  }));
}
