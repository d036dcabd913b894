// Types of network.mjs, for the tests.
import type { ChildProcess, SpawnOptions } from 'node:child_process'

export interface Loss {
  percent?: number
  ports?: number[]
  from?: number
  to?: number
  types?: number[]
}

export class Host {
  readonly address: string
  readonly ipv6: string
  inside(command: string[]): string[]
  run(command: string[], input?: string): string
  spawn(command: string[], options?: SpawnOptions): ChildProcess
  lose(what: Loss): void
  counts(): number[]
  dropped(): number
}

export class Network {
  static create(hosts: number, options?: { segments?: boolean }): Promise<Network>
  static during<T>(
    hosts: number,
    options: { segments?: boolean },
    body: (network: Network) => Promise<T>,
  ): Promise<T>
  readonly hosts: Host[]
  close(): void
}

export const hasIpv6: boolean
export function networkProblem(): string | undefined
