/** Host and port in lower case, without the port that goes without saying (RFC 9421, 2.2.3). */
export const plainAuthority = (authority: string, isEncrypted: boolean): string =>
  authority.toLowerCase().replace(isEncrypted ? /:443$/ : /:80$/, '')
