// The part of zlib's binary interface that TensorFiles calls, so that a program is built without
// zlib's headers and finds the library when it runs. The layout is that of zlib.h, unchanged since
// zlib 1.0, and shared by its compatible replacements.

#ifndef C_ZLIB_INTERFACE_H
#define C_ZLIB_INTERFACE_H

typedef struct czlib_stream {
  const unsigned char *next_in;
  unsigned int avail_in;
  unsigned long total_in;
  unsigned char *next_out;
  unsigned int avail_out;
  unsigned long total_out;
  const char *msg;
  void *state;
  void *(*zalloc)(void *, unsigned int, unsigned int);
  void (*zfree)(void *, void *);
  void *opaque;
  int data_type;
  unsigned long adler;
  unsigned long reserved;
} czlib_stream;

// inflateInit2_(stream, windowBits, version, sizeof stream).
typedef int (*czlib_inflate_init)(czlib_stream *, int, const char *, int);
// deflateInit2_(stream, level, method, windowBits, memLevel, strategy, version, sizeof stream).
typedef int (*czlib_deflate_init)(czlib_stream *, int, int, int, int, int, const char *, int);
// inflate and deflate (stream, flush).
typedef int (*czlib_step)(czlib_stream *, int);
// inflateEnd and deflateEnd.
typedef int (*czlib_end)(czlib_stream *);

enum {
  CZLIB_NO_FLUSH = 0,
  CZLIB_FINISH = 4,
  CZLIB_OK = 0,
  CZLIB_STREAM_END = 1,
  CZLIB_BUFFER_ERROR = -5,
  CZLIB_DEFLATED = 8,
  // Deflated data as in a ZIP archive, without a header.
  CZLIB_RAW_WINDOW = -15,
  // Data with the header and the checksum of gzip.
  CZLIB_GZIP_WINDOW = 31
};

#endif
