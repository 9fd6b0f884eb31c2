import 'react';

declare module 'react' {
  /** The custom properties that the styles read. */
  interface CSSProperties {
    '--hue'?: number;
  }
}
