#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How much memory this process can still take.
///
/// For work whose size comes from outside, such as a file: what does not fit is refused before it is
/// tried, because a system that has no memory left ends the process without a word.
public enum AvailableMemory {
  /// Bytes, at a guess: the least of what the system says is free, what the process's control group
  /// leaves it and what its limits on address space and data leave it; nil where nothing is known.
  public static var byteCount: Int? {
    [free, inControlGroup, belowLimits].compactMap { $0 }.min()
  }

  #if os(Linux)
    /// Free memory and what the system would give up for it.
    private static var free: Int? {
      number(in: "/proc/meminfo", after: "MemAvailable:").map { $0 * 1024 }
    }

    /// What a container leaves, by either version of control groups.
    private static var inControlGroup: Int? {
      let root = "/sys/fs/cgroup"
      return [
        ("\(root)/memory.max", "\(root)/memory.current"),
        ("\(root)/memory/memory.limit_in_bytes", "\(root)/memory/memory.usage_in_bytes"),
      ].lazy.compactMap { limit, usage in
        guard let limit = number(in: limit), let usage = number(in: usage) else { return nil }
        return max(0, limit - usage)
      }.first
    }

    private static var belowLimits: Int? {
      // The first number of statm is the address space, the sixth data and stack, in pages.
      let pages = text(of: "/proc/self/statm")?.split(separator: " ").compactMap { Int($0) } ?? []
      guard pages.count >= 6 else { return nil }
      let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))
      // By number, because C libraries give the names RLIMIT_AS and RLIMIT_DATA different types.
      let (addressSpace, data) = (limit(9), limit(2))
      return [(addressSpace, pages[0]), (data, pages[5])]
        .compactMap { limit, used in limit.map { max(0, $0 - used * pageSize) } }.min()
    }

    private static func limit(_ resource: Int32) -> Int? {
      var limit = rlimit()
      guard getrlimit(resource, &limit) == 0 else { return nil }
      return Int(exactly: limit.rlim_cur)
    }
  #else
    private static var free: Int? {
      let (pages, size) = (sysconf(Int32(_SC_PHYS_PAGES)), sysconf(Int32(_SC_PAGESIZE)))
      return pages > 0 && size > 0 ? pages * size : nil
    }
    private static var inControlGroup: Int? { nil }
    private static var belowLimits: Int? { nil }
  #endif

  /// The first whole number of a system file behind a key; nil for "max", the word for no limit.
  private static func number(in path: String, after key: String = "") -> Int? {
    guard let line = text(of: path)?.split(separator: "\n").first(where: { $0.hasPrefix(key) })
    else { return nil }
    return line.dropFirst(key.count).split(separator: " ").first.flatMap { Int($0) }
  }

  /// The start of a system file.
  private static func text(of path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
      count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
