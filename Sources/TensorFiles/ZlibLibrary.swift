import CZlibInterface
import Foundation

/// Why zlib cannot be used, or what it says of the data.
package struct ZlibFailure: Error {
  package let reason: String

  package init(reason: String) { self.reason = reason }
}

/// The system's zlib, opened when it is first needed.
package struct ZlibLibrary: Sendable {
  let inflateInit: czlib_inflate_init
  let inflate: czlib_step
  let inflateEnd: czlib_end
  let deflateInit: czlib_deflate_init
  let deflate: czlib_step
  let deflateEnd: czlib_end

  #if canImport(Darwin)
    private static let names = ["/usr/lib/libz.1.dylib"]
  #else
    private static let names = ["libz.so.1", "libz.so"]
  #endif

  private static let result = Result { () throws(ZlibFailure) in
    try ZlibLibrary(opening: names)
  }

  /// The library, opened once.
  static func loaded() throws(ZlibFailure) -> ZlibLibrary { try result.get() }

  /// Opens the first of several names that the loader knows.
  package init(opening names: [String]) throws(ZlibFailure) {
    var reasons: [String] = []
    for name in names {
      if let handle = dlopen(name, RTLD_LAZY | RTLD_LOCAL) {
        try self.init(handle: handle, name: name)
        return
      }
      reasons.append(dlerror().map { String(cString: $0) } ?? "\(name) cannot be opened")
    }
    throw ZlibFailure(reason: reasons.joined(separator: "; "))
  }

  private init(handle: UnsafeMutableRawPointer, name: String) throws(ZlibFailure) {
    func find<Function>(_ symbol: String, as type: Function.Type) throws(ZlibFailure) -> Function {
      guard let address = dlsym(handle, symbol) else {
        throw ZlibFailure(reason: "\(name) has no function \(symbol)")
      }
      return unsafeBitCast(address, to: type)
    }
    inflateInit = try find("inflateInit2_", as: czlib_inflate_init.self)
    inflate = try find("inflate", as: czlib_step.self)
    inflateEnd = try find("inflateEnd", as: czlib_end.self)
    deflateInit = try find("deflateInit2_", as: czlib_deflate_init.self)
    deflate = try find("deflate", as: czlib_step.self)
    deflateEnd = try find("deflateEnd", as: czlib_end.self)
  }

  /// Does what needs zlib.
  ///
  /// - Throws: How to install it, where it cannot be used.
  package static func required<Result>(
    for source: String, _ body: () throws(ZlibFailure) -> Result
  ) throws(FileError) -> Result {
    do { return try body() } catch {
      throw FileError(
        .unsupported, source,
        "zlib cannot be used, which deflated arrays need: \(error.reason); install it (Debian and "
          + "Ubuntu: zlib1g, Fedora: zlib-ng-compat, Alpine: zlib)")
    }
  }

  /// What zlib says of a failed step.
  static func failure(_ status: Int32, _ stream: czlib_stream) -> ZlibFailure {
    ZlibFailure(reason: stream.msg.map { String(cString: $0) } ?? "zlib's status is \(status)")
  }
}
