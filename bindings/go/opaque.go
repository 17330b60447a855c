// SPDX-License-Identifier: MIT

package ouro

import "ouro/internal/raw"

// An Opaque is any other object: of a program's own type, or of another host language in the process.
type Opaque struct{ handle }

func (o *Opaque) ref() *handle {
	if o == nil {
		return nil
	}
	return &o.handle
}

// Close lets go of the object: see Object.
func (o *Opaque) Close() error { return o.ref().close() }

// String shows the name of its type.
func (o *Opaque) String() string { return o.ref().text("object") }

// TypeName is what the object's kind, or type, or class is called.
func TypeName(o Object) (string, error) {
	var name string
	err := refOf(o).do("TypeName(o)", func(word uint64) uint64 {
		name = raw.Value_type_name(word)
		return nilWord
	})
	return name, err
}
