#!/usr/bin/env node
// Installs what is missing, and only that: npm dependencies, and Debian packages for the named
// purposes. Usage: node scripts/setup.mjs [build|test|network|...] (default: all)
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fail, inRoot, onPath, readJson, runQuietly } from './tools.mjs'

const file = (path) => () => existsSync(path)
const program = (name) => () => onPath(name) || existsSync(join('/usr/sbin', name))

/** Purpose: { Debian package: whether what we need from it is there }. */
const needs = {
  build: { 'g++': program('c++'), make: program('make'), python3: program('python3') },
  test: {
    cmake: program('cmake'),
    'doctest-dev': file('/usr/include/doctest/doctest.h'),
    'libzmq3-dev': file('/usr/include/zmq.h'),
    'python3-zmq': file('/usr/lib/python3/dist-packages/zmq/__init__.py'),
    iproute2: program('ss'),
  },
  // Private networks in which packets get lost: network.mjs.
  network: { iproute2: program('ip'), nftables: program('nft') },
  sanitize: {
    cmake: program('cmake'),
    'clang-19': program('clang++-19'),
    'libclang-rt-19-dev': hasFuzzerRuntime,
    'doctest-dev': file('/usr/include/doctest/doctest.h'),
  },
  bench: {
    'python3-pyro4': file('/usr/lib/python3/dist-packages/Pyro4'),
    'python3-jsonrpclib-pelix': file('/usr/lib/python3/dist-packages/jsonrpclib'),
  },
  lint: { 'clang-format-19': program('clang-format-19') },
  runtimes: {},
}

/** Where the npm dependencies are that only this purpose has. */
const folders = { bench: 'bench', runtimes: 'test/runtimes' }

function hasFuzzerRuntime() {
  const folder = '/usr/lib/llvm-19/lib/clang/19/lib/linux'
  return existsSync(folder) && readdirSync(folder).some((name) => /rt\.fuzzer-.*\.a$/.test(name))
}

/** Whether an optional package is for machines like this one; which C library it has is not known. */
const isMeant = ({ cpu, os, libc }) =>
  [cpu].flat().includes(process.arch) && [os].flat().includes(process.platform) && !libc

/** Whether the folder's node_modules holds what its package-lock.json names. */
function dependenciesAreFresh(folder) {
  const installed = join(folder, 'node_modules/.package-lock.json')
  if (!existsSync(inRoot(installed))) return false
  const wanted = Object.entries(readJson(join(folder, 'package-lock.json')).packages)
  const present = readJson(installed).packages
  return wanted.every(([path, entry]) => {
    if (path === '') return true
    if (path in present) return present[path].version === entry.version
    return (entry.optional || entry.devOptional) && !isMeant(entry)
  })
}

function installPackages(missing) {
  const names = missing.join(' ')
  if (!onPath('apt-get')) fail(`please install what Debian calls: ${names}`)
  const asRoot = process.getuid() === 0
  if (!asRoot && !onPath('sudo')) fail(`please run as root: apt-get install ${names}`)
  const apt = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-o', 'DPkg::Lock::Timeout=300']
  const [command, ...prefix] = asRoot ? apt : ['sudo', ...apt]
  runQuietly('updating the list of Debian packages', command, [...prefix, 'update'])
  const install = [...prefix, 'install', '--yes', '--no-install-recommends', ...missing]
  runQuietly(`installing ${names}`, command, install)
}

/** Sees to it that everything for these purposes (keys of `needs`) is installed. */
export function setUp(...purposes) {
  const wanted = Object.assign({}, ...purposes.map((purpose) => needs[purpose]))
  const missing = Object.keys(wanted).filter((name) => !wanted[name]())
  if (missing.length > 0) installPackages(missing)
  installDependencies('.')
  for (const purpose of purposes) if (purpose in folders) installDependencies(folders[purpose])
}

function installDependencies(folder) {
  if (dependenciesAreFresh(folder)) return
  // No install scripts: the addon is built by our own scripts, and nothing else needs one.
  const args = ['ci', '--prefix', folder, '--ignore-scripts', '--no-audit']
  runQuietly('installing npm dependencies', 'npm', args)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const purposes = process.argv.slice(2)
  const unknown = purposes.find((purpose) => !(purpose in needs))
  if (unknown) fail(`setup: unknown purpose "${unknown}" (known: ${Object.keys(needs).join(', ')})`)
  setUp(...(purposes.length > 0 ? purposes : Object.keys(needs)))
}
