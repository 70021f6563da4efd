/* What this library adds to winhttp.h. Its functions, which begin with nthttp_, stand with the others. */
#ifndef NTHTTP_WINHTTP_EXTRAS_H
#define NTHTTP_WINHTTP_EXTRAS_H

/* More bits for WINHTTP_OPTION_DECOMPRESSION: the codings br (RFC 7932) and zstd (RFC 8878). As with gzip and deflate, they
 * are asked for by Accept-Encoding, undone while the body is read, and Content-Encoding and Content-Length are then taken
 * from the response's fields. WINHTTP_DECOMPRESSION_FLAG_ALL does not contain them. */
#define NTHTTP_DECOMPRESSION_FLAG_BROTLI 0x00000100
#define NTHTTP_DECOMPRESSION_FLAG_ZSTD 0x00000200

#endif
