/** Hosts of the platform as a whole: there the path says which service. */
const PLATFORM_HOSTS: ReadonlySet<string> = new Set(['gateway.do', 'api.do', 'apis.do', 'services.do'])

/** This machine by any of its names: `localhost`, an IPv4 address, an IPv6 address in brackets, with or without a port. */
const BARE_HOST = /^(?:localhost|\d+\.\d+\.\d+\.\d+|\[[0-9a-f:.]+\])(?::\d+)?$/

/** The host as it is in production: `db.do` for `db.do.localhost:8787` where the suffix is `.localhost:8787`. */
export function productionHost(host: string, suffix: string): string {
  const lower = host.toLowerCase()
  return suffix !== '' && lower.endsWith(suffix) ? lower.slice(0, -suffix.length) : lower
}

/** Whether a production host is the platform's front rather than one service's or one worker's. */
export function isPlatformHost(host: string): boolean {
  return PLATFORM_HOSTS.has(host) || BARE_HOST.test(host)
}
