#!/bin/sh
# Build a Python on musl, in a fresh Debian 13 alone: Debian has musl, but no Python on it.
#
# usage: musl.sh PREFIX
#
# zlib, libffi and Python are the sources of Debian's own packages. OpenSSL is left out: pip of
# Debian's Python downloads what the tests need. musl-gcc names itself as glibc's compiler does,
# and Python's configure compares that with what it compiles for; hence the wrapper.
set -eu
prefix=$1
build=/var/tmp/musl
mkdir -p "$build" "$prefix/bin" "$prefix/lib" "$prefix/include"
cd "$build"
sed -n 's/^deb /deb-src /p' /etc/apt/sources.list > /etc/apt/sources.list.d/sources.list
apt-get -qq update
apt-get -qq install -y --no-install-recommends musl-tools gcc make dpkg-dev libc6-dev \
    linux-libc-dev xz-utils autoconf automake libtool > /dev/null
# A mirror may have a source but not its newest Debian part, which is not used.
for source in zlib libffi python3.13; do
    apt-get source -qq --download-only "$source" || [ -n "$(ls "${source}"_*.orig.tar.*)" ]
    mkdir -p "$source"
    tar -C "$source" --strip-components=1 -xf "$(ls "${source}"_*.orig.tar.?z | tail -n 1)"
done
cat > "$prefix/bin/cc" << 'END'
#!/bin/sh
case " $* " in *" --print-multiarch "*) echo x86_64-linux-musl && exit ;; esac
exec musl-gcc "$@"
END
chmod 755 "$prefix/bin/cc"
# The kernel's headers, which musl-tools leaves out.
for directory in linux asm-generic; do ln -sfn "/usr/include/$directory" "$prefix/include"; done
ln -sfn /usr/include/x86_64-linux-gnu/asm "$prefix/include/asm"
export CC="$prefix/bin/cc" CFLAGS="-O1 -fPIC -isystem $prefix/include" LDFLAGS="-L$prefix/lib"
(
    cd zlib
    ./configure --static > /dev/null
    make -s libz.a
    cp libz.a "$prefix/lib"
    cp zlib.h zconf.h "$prefix/include"
)
(
    cd libffi
    ./autogen.sh > /dev/null
    ./configure -q --host=x86_64-linux-musl --prefix="$prefix" --libdir="$prefix/lib" \
        --disable-shared --with-pic --disable-docs --disable-multi-os-directory --disable-builddir
    make -s install
)
cd python3.13
./configure -q --prefix="$prefix" --without-ensurepip --disable-test-modules \
    --without-static-libpython \
    LIBFFI_CFLAGS="-I$prefix/include" LIBFFI_LIBS="-L$prefix/lib -lffi" \
    ZLIB_CFLAGS="-I$prefix/include" ZLIB_LIBS="-L$prefix/lib -lz"
make -s -j "$(nproc)"
make -s install > /dev/null
"$prefix/bin/python3" -V
