/** What a TLS server shows of itself, in PEM. */
export interface TlsMaterial {
  readonly key: string;
  /** The leaf, then what leads to its root. */
  readonly cert: string;
}

/** Where the serving certificate comes from; it may change while the server runs. */
export interface TlsSource {
  current(): TlsMaterial;
  /** Calls back after every change; answers the way to end that. */
  onChange(listener: (material: TlsMaterial) => void): () => void;
}

export function fixedTlsSource(material: TlsMaterial): TlsSource {
  return { current: () => material, onChange: () => () => undefined };
}
