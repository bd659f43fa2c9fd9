/** IPv4 networks that are not the public internet: https://www.iana.org/assignments/iana-ipv4-special-registry */
const PRIVATE_V4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const

/** Names that lead to the own machine or network: RFC 6761, RFC 6762, RFC 9476 and what clouds use for their metadata. */
const PRIVATE_NAME = /(^|\.)(localhost|localdomain|internal|local|lan|home\.arpa)$/

/**
 * Whether a URL's host name is or may be a private address. `URL` has turned decimal, octal and hexadecimal forms of IPv4 into the usual one by then.
 * Names that resolve to private addresses are not seen here: the network refuses those.
 */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/\.+$/, '')
  if (host.startsWith('[')) return isPrivateV6(host.slice(1, -1))
  const v4 = v4Of(host)
  return v4 === undefined ? host === '' || PRIVATE_NAME.test(host) : isPrivateV4(v4)
}

function isPrivateV4(address: number): boolean {
  return PRIVATE_V4.some(([network, bits]) => address >>> (32 - bits) === (v4Of(network) ?? 0) >>> (32 - bits))
}

function v4Of(text: string): number | undefined {
  const octets = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number)
  return octets?.reduce((address, octet) => ((address << 8) | octet) >>> 0, 0)
}

/** Public are only the unicast addresses of 2000::/3, without those that carry an IPv4 address or are for documents: https://www.iana.org/assignments/iana-ipv6-special-registry */
function isPrivateV6(address: string): boolean {
  const groups = groupsOf(address)
  const [first = 0, second = 0] = groups
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return isPrivateV4((((groups[6] ?? 0) << 16) | (groups[7] ?? 0)) >>> 0)
  if (first >>> 13 !== 1) return true
  return first === 0x2002 || first === 0x3fff || (first === 0x2001 && (second < 0x200 || second === 0xdb8))
}

/** The eight groups of an address that `URL` has written out: hexadecimal, with at most one `::`. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::')
  const before = numbersOf(head)
  const after = numbersOf(tail ?? '')
  return tail === undefined ? before : [...before, ...Array<number>(Math.max(8 - before.length - after.length, 0)).fill(0), ...after]
}

function numbersOf(groups: string): number[] {
  return groups === '' ? [] : groups.split(':').map((group) => Number.parseInt(group, 16))
}
