/** Ranges of IPv4 that are nobody's on the public internet (IANA special-purpose registry), as first address and prefix length. */
const PRIVATE_IPV4: [first: string, bits: number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
]

/** The same for IPv6. Those that carry an IPv4 address within are looked into instead, see `embeddedIpv4`. */
const PRIVATE_IPV6: [first: string, bits: number][] = [
  ['::', 127], // unspecified and loopback
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 9], // link-local, and the former site-local
  ['ff00::', 8],
]

const PRIVATE_NAME = /^(?:[^.]+|(?:.*\.)?(?:localhost|local|internal|localdomain|lan|home|corp|intranet|arpa))$/

/**
 * Whether a URL's host is a private address or a name that means something else on every machine. The host is as the URL parser writes it: that has already
 * turned `127.1`, `0x7f000001` and `2130706433` into `127.0.0.1`. Where a public name leads is not looked up.
 */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/\.$/, '')
  if (host.startsWith('[')) return isPrivateIpv6(host.slice(1, -1))
  const ipv4 = ipv4Number(host)
  return ipv4 === undefined ? PRIVATE_NAME.test(host) : isPrivateIpv4(ipv4)
}

function isPrivateIpv4(address: bigint): boolean {
  return PRIVATE_IPV4.some(([first, bits]) => isWithin(address, { first: ipv4Number(first) ?? 0n, bits, size: 32 }))
}

function isPrivateIpv6(text: string): boolean {
  const address = ipv6Number(text)
  const embedded = embeddedIpv4(address)
  if (embedded !== undefined) return isPrivateIpv4(embedded)
  return PRIVATE_IPV6.some(([first, bits]) => isWithin(address, { first: ipv6Number(first), bits, size: 128 }))
}

/** The IPv4 address that a mapped, compatible, translated (NAT64) or 6to4 address stands for. */
function embeddedIpv4(address: bigint): bigint | undefined {
  const low = address & 0xffff_ffffn
  const head = address >> 32n
  if (head === 0xffffn || head === 0xffff_0000n || head === 0x64_ff9b_0000_0000_0000_0000n) return low
  if (head === 0n && low > 1n) return low
  return address >> 112n === 0x2002n ? (address >> 80n) & 0xffff_ffffn : undefined
}

function isWithin(address: bigint, { first, bits, size }: { first: bigint; bits: number; size: number }): boolean {
  const shift = BigInt(size - bits)
  return address >> shift === first >> shift
}

function ipv4Number(host: string): bigint | undefined {
  const [, ...octets] = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(host) ?? []
  return octets.length === 4 ? octets.reduce((sum, octet) => sum * 256n + BigInt(octet), 0n) : undefined
}

/** An address as the URL parser writes it: hexadecimal groups, at most one `::`, nothing dotted. */
function ipv6Number(text: string): bigint {
  const [head = '', tail] = text.split('::')
  const start = head.split(':').filter(Boolean)
  const end = (tail ?? '').split(':').filter(Boolean)
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - start.length - end.length }, () => '0')
  return [...start, ...zeros, ...end].reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n)
}
