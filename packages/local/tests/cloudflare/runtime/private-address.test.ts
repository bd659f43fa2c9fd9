import { expect, it } from 'vitest'
import { isPrivateHost } from '../../../src/cloudflare/runtime/workerd/private-address.ts'

const isPrivate = (host: string): boolean => isPrivateHost(new URL(`http://${host}/`).hostname)

it.each([
  '127.0.0.1',
  '127.255.255.255',
  '0.0.0.0',
  '10.255.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '169.254.169.254',
  '100.64.0.1',
  '100.127.255.255',
  '192.0.0.1',
  '198.18.0.1',
  '198.19.255.255',
  '224.0.0.1',
  '255.255.255.255',
  '2130706433',
  '0x7f000001',
  '017700000001',
  '127.1',
  '[::]',
  '[::1]',
  '[::ffff:10.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[fe80::1]',
  '[fc00::1]',
  '[fdff::1]',
  '[ff02::1]',
  '[64:ff9b::a00:1]',
  '[2002:7f00:1::]',
  '[2001:db8::1]',
  '[2001::1]',
  'localhost',
  'LocalHost',
  'localhost.',
  'a.b.localhost',
  'metadata.google.internal',
  'internal',
  'nas.local',
  'router.lan',
  'box.home.arpa',
])('takes %s for private', (host) => {
  expect(isPrivate(host)).toBe(true)
})

it.each([
  '1.1.1.1',
  '172.15.0.1',
  '172.32.0.1',
  '100.63.0.1',
  '100.128.0.1',
  '192.169.0.1',
  '198.17.0.1',
  '223.255.255.255',
  '[2606:4700::1111]',
  '[2a00::1]',
  '[::ffff:1.1.1.1]',
  'example.com',
  'localhost.example.com',
  'mylocal',
  'internal.example',
])('takes %s for public', (host) => {
  expect(isPrivate(host)).toBe(false)
})
