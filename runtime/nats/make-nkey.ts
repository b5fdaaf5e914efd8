import { nkeys } from '@nats-io/nats-core'

/** By which an engine knows somebody: the public key is for the engine, the seed proves it. */
export const makeNkey = (): { publicKey: string; seed: string } => {
  const pair = (nkeys as unknown as { createUser(): KeyPair }).createUser()
  return { publicKey: pair.getPublicKey(), seed: new TextDecoder().decode(pair.getSeed()) }
}

/** What the library makes; its own declaration of it is private. */
interface KeyPair {
  getPublicKey(): string
  getSeed(): Uint8Array
}
